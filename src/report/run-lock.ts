import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { DtrainError, systemCode } from '../errors.js';
import { processIsGone } from '../process-gone.js';

/**
 * Says in a run's folder that this process writes there. A process that was killed leaves its word
 * behind; the next one sees that it is gone.
 */
export class RunLock {
  readonly #file: string;

  /** @throws DtrainError RUN_BUSY if another process writes there */
  constructor(folder: string) {
    this.#file = path.join(folder, 'lock');
    const word = `${process.pid} on ${hostname()}`;
    for (;;) {
      try {
        writeFileSync(this.#file, word, { flag: 'wx' });
        return;
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
      const holder = this.#holder();
      if (holder !== undefined) {
        throw new DtrainError(
          'RUN_BUSY',
          `Process ${holder} is at work on the run in ${folder}: stop it first, or remove ${this.#file} if that process is not dtrain.`,
        );
      }
      rmSync(this.#file, { force: true });
    }
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }

  /** Who has the lock, if anybody does who is still there, or may be. */
  #holder(): string | undefined {
    let word: string;
    try {
      word = readFileSync(this.#file, 'utf8');
    } catch {
      return undefined;
    }
    const [pid = '', host] = word.split(' on ');
    if (host !== hostname()) return word === '' ? undefined : word;
    if (Number(pid) === process.pid) return undefined;
    return processIsGone(Number(pid)) ? undefined : word;
  }
}
