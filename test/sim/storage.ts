import type { Disk } from '../../coordinator/checkpoint/disk.js';
import type { Checkpoint } from '../../coordinator/checkpoint/file.js';
import { CheckpointStore } from '../../coordinator/checkpoint/store.js';
import { CheckpointWriter } from '../../coordinator/checkpoint/writer.js';
import { DtrainError } from '../../src/errors.js';
import { bits } from '../reduce/fake-sums.js';
import { check } from './check.js';
import type { MortalClock } from './clock.js';
import { Dice } from './dice.js';
import { FailingDisk, FOLDER } from './failing-disk.js';
import type { ReferenceRun } from './fake-model.js';
import type { FaultLog } from './faults.js';
import { SlowDisk } from './slow-disk.js';

/** More operations than it takes to write a checkpoint and then another. */
export const DISK_OPERATIONS = 100;

interface StorageOptions {
  readonly seed: number;
  readonly faults: FaultLog;
  readonly reference: ReferenceRun;
  readonly note: (sentence: string) => void;
  readonly wrap: (disk: Disk) => Disk;
  readonly onStir: () => void;
}

/** What one life of the coordinator has of the disk. */
export interface DiskAccess {
  /** Something is being read or written. */
  readonly busy: boolean;
  save(checkpoint: Checkpoint): void;
  /** Resolves with whether the last checkpoint is on the disk. */
  close(): Promise<boolean>;
  newest(): Promise<Checkpoint | undefined>;
  /** Faults of the disk that are due now happen. */
  disturb(): void;
}

/** A run's checkpoints, which outlast the coordinator's lives; objects if they are lost wrongly. */
export class Storage {
  readonly #options: StorageOptions;
  readonly #dice: Dice;
  readonly #failing: FailingDisk;
  /** The last steps whose checkpoints were said to be on the disk and must still be; in order. */
  #safe: readonly number[] = [];
  #reportedStep = 0;
  #foldersGone = 0;

  constructor(options: StorageOptions) {
    this.#options = options;
    this.#dice = new Dice(options.seed, -2);
    this.#failing = new FailingDisk(options.seed, options.faults, (name) => {
      this.#safe = this.#safe.filter((step) => name !== undefined && fileName(step) !== name);
    });
  }

  /** For the next life of the coordinator. */
  open(clock: MortalClock, delay: number): DiskAccess {
    const { onStir, wrap, note } = this.#options;
    const { disk } = this.#failing;
    const slow = new SlowDisk({ disk, clock, dice: this.#dice, delay, onStir });
    const store = new CheckpointStore(FOLDER, wrap(slow));
    const writer = new CheckpointWriter({
      store,
      onNotice: (sentence) => {
        note(`notice: ${sentence}`);
      },
      onSaved: (step) => {
        note(`the checkpoint of step ${step} is on the disk`);
        this.#report(step);
      },
      pause: (ms) => slow.sleep(ms / 1000),
    });
    this.#reportedStep = 0;
    return {
      save: (checkpoint) => {
        writer.save(checkpoint);
        this.#expect(checkpoint.meta.step, clock, delay);
        onStir();
      },
      close: () => {
        onStir();
        return writer.close();
      },
      newest: () => {
        onStir();
        return this.#newest(store);
      },
      disturb: () => {
        this.#failing.disturb(clock);
      },
      get busy() {
        return slow.busy;
      },
    };
  }

  /** The coordinator has ended, and perhaps its machine too. */
  endLife(powerFails: boolean): Promise<void> {
    return this.#failing.endLife(powerFails);
  }

  /** @throws Error if what a run ends with should be on the disk, and is not */
  checkEnd(step: number): void {
    if (this.#failing.foldersGone > this.#foldersGone) return;
    const safe = this.#safe.at(-1);
    check(safe === step, `the run ends at step ${step}, but step ${safe} is on the disk`);
  }

  /** A checkpoint must be on the disk soon, unless the disk fails meanwhile. */
  #expect(step: number, clock: MortalClock, delay: number): void {
    const { failures, disk } = this.#failing;
    clock.after(1 + DISK_OPERATIONS * delay, () => {
      const excused = this.#failing.failures > failures || disk.refusing !== undefined;
      const soon = excused || this.#reportedStep >= step;
      check(soon, `the checkpoint of step ${step} takes too long`);
    });
  }

  #report(step: number): void {
    const { checkpoints, damaged, foldersGone } = this.#failing;
    this.#reportedStep = step;
    damaged.delete(fileName(step));
    // The folder may have gone between the write and the report.
    const gone = foldersGone > this.#foldersGone && !checkpoints.includes(fileName(step));
    if (gone) return;
    this.#foldersGone = foldersGone;
    // One more is kept, but it is removed before the next one is reported.
    this.#safe = [...this.#safe.filter((other) => other < step), step].slice(-2);
  }

  async #newest(store: CheckpointStore): Promise<Checkpoint | undefined> {
    const { faults, note } = this.#options;
    const errors = this.#failing.readErrors;
    const problems: string[] = [];
    const found = await store
      .newest((sentence) => problems.push(sentence))
      .catch((error: unknown) => {
        if (!(error instanceof DtrainError) || error.code !== 'CHECKPOINT') throw error;
        problems.push(error.message);
        return undefined;
      });
    for (const problem of problems) note(`notice: ${problem}`);
    this.#failing.noteFired();
    const misread = this.#failing.readErrors > errors;
    if (misread && !found) {
      note('somebody tries again');
      return this.#newest(store);
    }
    const step = found?.meta.step ?? 0;
    if (misread) this.#safe = this.#safe.filter((other) => other <= step);
    else this.#judge(problems);
    const safe = this.#safe.at(-1) ?? 0;
    check(step >= safe, `resumes from step ${step}, but step ${safe} was on the disk`);
    if (found) this.#compare(found);
    if (found && problems.length > 0) faults.happened('checkpoint before the newest used');
    return found;
  }

  /** Only what was damaged may be unsound. */
  #judge(problems: readonly string[]): void {
    const damaged = [...this.#failing.damaged];
    for (const problem of problems) {
      const known = damaged.some((name) => problem.includes(name));
      check(known, `nobody has damaged it, and yet: ${problem}`);
    }
  }

  #compare({ meta, weights, state }: Checkpoint): void {
    const expected = this.#options.reference.after(meta.step);
    const same =
      String(bits(weights)) === String(bits(expected.weights)) &&
      String(bits(state)) === String(bits(expected.state));
    check(same, `what the checkpoint of step ${meta.step} holds is not of that step`);
  }
}

function fileName(step: number): string {
  return `step-${String(step).padStart(9, '0')}.ckpt`;
}
