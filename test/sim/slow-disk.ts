import type { Disk, DiskFile } from '../../coordinator/checkpoint/disk.js';
import type { MortalClock } from './clock.js';
import type { Dice } from './dice.js';

interface SlowDiskOptions {
  readonly disk: Disk;
  readonly clock: MortalClock;
  readonly dice: Dice;
  /** Seconds that an operation takes, on average. */
  readonly delay: number;
  /** Some promise was resolved: what waits for it is to go on before time does. */
  readonly onStir: () => void;
}

/**
 * A disk whose operations take virtual time, before and after they have their effect. Those of a
 * process that died have no effect any more, or nobody hears of it.
 */
export class SlowDisk implements Disk {
  readonly #options: SlowDiskOptions;
  #operations = 0;

  constructor(options: SlowDiskOptions) {
    this.#options = options;
  }

  /** Something is being read or written. */
  get busy(): boolean {
    return this.#operations > 0;
  }

  list(folder: string): Promise<readonly string[]> {
    return this.#slowly(() => this.#options.disk.list(folder));
  }

  read(file: string): Promise<Uint8Array> {
    return this.#slowly(() => this.#options.disk.read(file));
  }

  async create(file: string): Promise<DiskFile> {
    const opened = await this.#slowly(() => this.#options.disk.create(file));
    return {
      // In two parts, so that a process can die between them.
      write: async (bytes) => {
        const cut = this.#options.dice.whole(0, bytes.length);
        await this.#slowly(() => opened.write(bytes.subarray(0, cut)));
        await this.#slowly(() => opened.write(bytes.subarray(cut)));
      },
      sync: () => this.#slowly(() => opened.sync()),
      close: () => this.#slowly(() => opened.close()),
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.#slowly(() => this.#options.disk.rename(from, to));
  }

  remove(file: string): Promise<void> {
    return this.#slowly(() => this.#options.disk.remove(file));
  }

  makeFolder(folder: string): Promise<void> {
    return this.#slowly(() => this.#options.disk.makeFolder(folder));
  }

  syncFolder(folder: string): Promise<void> {
    return this.#slowly(() => this.#options.disk.syncFolder(folder));
  }

  /** Resolves when so much virtual time has gone by. */
  sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(seconds, () => {
        this.#options.onStir();
        resolve();
      });
    });
  }

  async #slowly<Result>(operate: () => Promise<Result>): Promise<Result> {
    const { delay, dice } = this.#options;
    this.#operations += 1;
    await this.sleep(delay * dice.between(0, 1));
    try {
      return await operate();
    } finally {
      await this.sleep(delay * dice.between(0, 1));
      this.#operations -= 1;
    }
  }
}
