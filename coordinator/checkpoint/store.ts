import path from 'node:path';
import { diskReason, DtrainError, systemCode } from '../../src/errors.js';
import { processIsGone } from '../../src/process-gone.js';
import { type Disk, nodeDisk } from './disk.js';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './file.js';

/** A run's last checkpoints, each in a file of its own, in a folder with one writer. */
export class CheckpointStore {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #keep: number;
  /** Steps whose checkpoints are known to be sound. */
  #sound: ReadonlySet<number> = new Set();

  /** `keep`: how many checkpoints stay. */
  constructor(folder: string, disk: Disk = nodeDisk, keep = 3) {
    this.#folder = folder;
    this.#disk = disk;
    this.#keep = keep;
  }

  /**
   * Puts a checkpoint on the disk, whole, or rejects with the system's error and leaves the others
   * as they are. Once this has resolved, `newest` gives this one.
   */
  async write(checkpoint: Checkpoint): Promise<void> {
    const { step } = checkpoint.meta;
    const temporary = this.#path(`.${fileName(step)}.${process.pid}`);
    await this.#disk.makeFolder(this.#folder);
    try {
      await this.#writeThrough(temporary, encodeCheckpoint(checkpoint));
      await this.#disk.rename(temporary, this.#path(fileName(step)));
    } catch (error) {
      await this.#disk.remove(temporary).catch(() => undefined);
      throw error;
    }
    await this.#disk.syncFolder(this.#folder);
    await this.#tidy(step);
  }

  /**
   * The newest checkpoint that is sound; undefined if there is none of any kind. `onNotice` gets a
   * sentence about each newer one that cannot be used.
   * @throws DtrainError CHECKPOINT if there are some, but none can be used
   */
  async newest(onNotice: (sentence: string) => void): Promise<Checkpoint | undefined> {
    const steps = stepsOf(await this.#names());
    for (const [index, step] of steps.entries()) {
      try {
        return await this.#load(step);
      } catch (error) {
        if (!(error instanceof DtrainError)) throw error;
        const problem = error.message.replace(/\.$/, '');
        if (index === steps.length - 1) {
          const message = `${problem}; there is no checkpoint before it, so the run must start anew.`;
          throw new DtrainError('CHECKPOINT', message, { cause: error });
        }
        onNotice(`${problem}; the checkpoint before it is used.`);
      }
    }
    return undefined;
  }

  async #writeThrough(file: string, bytes: Uint8Array): Promise<void> {
    const handle = await this.#disk.create(file);
    try {
      await handle.write(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /**
   * Removes what is not needed any more, now that `step` is on the disk; what cannot be removed now
   * is removed after a later write. A damaged checkpoint takes no sound one's place. One above `step`
   * is damaged or of another numbering of the steps, and would be taken for the newest.
   */
  async #tidy(step: number): Promise<void> {
    const names = await this.#disk.list(this.#folder).catch(() => []);
    const steps = stepsOf(names);
    const kept = new Set([step]);
    for (const other of steps) {
      if (kept.size < this.#keep && other < step && (await this.#isSound(other))) kept.add(other);
    }
    this.#sound = kept;
    const oldest = kept.size < this.#keep ? 0 : Math.min(...kept);
    const unneeded = steps.filter((other) => other > step || other < oldest).map(fileName);
    for (const name of [...unneeded, ...names.filter(isLeftOver)]) {
      await this.#disk.remove(this.#path(name)).catch(() => undefined);
    }
  }

  async #isSound(step: number): Promise<boolean> {
    if (this.#sound.has(step)) return true;
    return this.#load(step).then(
      () => true,
      () => false,
    );
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await this.#disk.list(this.#folder);
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return [];
      throw unreadable(`The checkpoints in ${this.#folder}`, cause);
    }
  }

  async #load(step: number): Promise<Checkpoint> {
    const file = this.#path(fileName(step));
    const bytes = await this.#disk.read(file).catch((cause: unknown) => {
      throw unreadable(file, cause);
    });
    return decodeCheckpoint(bytes, file);
  }

  #path(name: string): string {
    return path.join(this.#folder, name);
  }
}

/** Names sort as their steps do. */
function fileName(step: number): string {
  return `step-${String(step).padStart(9, '0')}.ckpt`;
}

/** The steps that there are checkpoints of, the highest first. */
function stepsOf(names: readonly string[]): number[] {
  return names
    .map((name) => Number(/^step-(\d+)\.ckpt$/.exec(name)?.[1]))
    .filter((step) => Number.isSafeInteger(step) && names.includes(fileName(step)))
    .sort((one, other) => other - one);
}

/** Whether `name` is of a temporary file that nobody writes to any more. */
function isLeftOver(name: string): boolean {
  const pid = Number(/^\.step-\d+\.ckpt\.(\d+)$/.exec(name)?.[1]);
  if (Number.isNaN(pid)) return false;
  // Ours are in place by now; one that is not was left by a process that had this number before.
  return pid === process.pid || processIsGone(pid);
}

function unreadable(what: string, cause: unknown): DtrainError {
  return new DtrainError('CHECKPOINT', `${what} cannot be read: ${diskReason(cause)}.`, { cause });
}
