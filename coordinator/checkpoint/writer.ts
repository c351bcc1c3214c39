import { setTimeout } from 'node:timers/promises';
import { diskReason, systemCode } from '../../src/errors.js';
import type { Checkpoint } from './file.js';
import type { CheckpointStore } from './store.js';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

export interface CheckpointWriterOptions {
  readonly store: Pick<CheckpointStore, 'write'>;
  /** A sentence for people: checkpoints cannot be written, or can again. */
  readonly onNotice: (sentence: string) => void;
  /** The checkpoint of this step is on the disk. */
  readonly onSaved?: (step: number) => void;
  /** Waits for so many milliseconds before the next try; a timer that keeps no process alive. */
  readonly pause?: (ms: number) => Promise<void>;
}

/**
 * Writes checkpoints beside the training, one at a time. It holds two at most: the one that is
 * being written and the latest that waits. What the disk refuses is tried again, and ends nothing.
 */
export class CheckpointWriter {
  readonly #store: Pick<CheckpointStore, 'write'>;
  readonly #onNotice: (sentence: string) => void;
  readonly #onSaved: (step: number) => void;
  readonly #pause: (ms: number) => Promise<void>;
  #waiting: Checkpoint | undefined;
  #working: Promise<void> | undefined;
  #closing = false;
  /** Why the last write failed. */
  #trouble: string | undefined;
  #wake: () => void = () => undefined;

  constructor({
    store,
    onNotice,
    onSaved = () => undefined,
    pause = (ms) => setTimeout(ms, undefined, { ref: false }),
  }: CheckpointWriterOptions) {
    this.#store = store;
    this.#onNotice = onNotice;
    this.#onSaved = onSaved;
    this.#pause = pause;
  }

  /**
   * Takes over a checkpoint that nobody changes any more; a later one than the last. It takes the
   * place of one that still waits. Does nothing after `close`.
   */
  save(checkpoint: Checkpoint): void {
    if (this.#closing) return;
    this.#waiting = checkpoint;
    this.#wake();
    this.#working ??= this.#work();
  }

  /** Tries once more what is not written yet. Resolves with whether the last one is on the disk. */
  async close(): Promise<boolean> {
    this.#closing = true;
    this.#wake();
    await this.#working;
    return this.#waiting === undefined;
  }

  async #work(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    for (let checkpoint = this.#take(); checkpoint; checkpoint = this.#take()) {
      const lastTry = this.#closing;
      if (await this.#write(checkpoint, lastTry)) {
        retryMs = FIRST_RETRY_MS;
        continue;
      }
      this.#waiting ??= checkpoint;
      if (lastTry) break;
      if (this.#waiting !== checkpoint || this.#closing) continue;
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await Promise.race([this.#pause(retryMs), woken]);
      retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
    }
    this.#working = undefined;
  }

  #take(): Checkpoint | undefined {
    const checkpoint = this.#waiting;
    this.#waiting = undefined;
    return checkpoint;
  }

  /** Whether it is on the disk now. */
  async #write(checkpoint: Checkpoint, lastTry: boolean): Promise<boolean> {
    const { step } = checkpoint.meta;
    try {
      await this.#store.write(checkpoint);
    } catch (error) {
      this.#tellTrouble(step, error, lastTry);
      return false;
    }
    if (this.#trouble !== undefined) {
      this.#trouble = undefined;
      this.#onNotice(`Checkpoints are written again, the latest of step ${step}.`);
    }
    this.#onSaved(step);
    return true;
  }

  #tellTrouble(step: number, error: unknown, lastTry: boolean): void {
    const reason = diskReason(error);
    // A reason in the system's words may name the file, which is another one for each step.
    const trouble = systemCode(error) ?? reason;
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    const outlook = lastTry ? '' : ' It is tried again; the run goes on.';
    this.#onNotice(`Checkpoint of step ${step} could not be written: ${reason}.${outlook}`);
  }
}
