import { reasonOf } from '../src/errors.js';
import type { LedgerRecord } from '../src/report/ledger-file.js';
import type { RunFolder } from '../src/report/run-folder.js';

/** Milliseconds: what is paid in this time before a crash is not known after it. */
const EVERY_MS = 1000;

/** Writes a run's ledger into its folder again and again. What the disk refuses ends nothing. */
export class LedgerWriter {
  readonly #folder: Pick<RunFolder, 'saveLedger'>;
  readonly #record: () => LedgerRecord;
  readonly #onNotice: (sentence: string) => void;
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> | undefined;
  #trouble = false;

  constructor(
    folder: Pick<RunFolder, 'saveLedger'>,
    record: () => LedgerRecord,
    onNotice: (sentence: string) => void,
  ) {
    this.#folder = folder;
    this.#record = record;
    this.#onNotice = onNotice;
    this.#timer = setInterval(() => {
      this.#writing ??= this.#write();
    }, EVERY_MS);
    this.#timer.unref();
  }

  /** Writes the ledger a last time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.#write();
  }

  async #write(): Promise<void> {
    try {
      await this.#folder.saveLedger(this.#record());
      this.#trouble = false;
    } catch (error) {
      if (!this.#trouble) this.#onNotice(`${reasonOf(error)} The run goes on.`);
      this.#trouble = true;
    }
    this.#writing = undefined;
  }
}
