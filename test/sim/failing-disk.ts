import { type FaultCode, FaultyDisk } from '../coordinator/checkpoint/faulty-disk.js';
import type { MortalClock } from './clock.js';
import { Dice } from './dice.js';
import type { Fault, FaultLog } from './faults.js';

export const FOLDER = '/run/checkpoints';

/** A run's disk with all that befalls it and its checkpoints. */
export class FailingDisk {
  readonly disk: FaultyDisk;
  /** Names of files that were damaged. */
  readonly damaged = new Set<string>();
  /** How often the folder was taken away. */
  foldersGone = 0;
  readonly #dice: Dice;
  readonly #faults: FaultLog;
  readonly #onDamage: (name: string | undefined) => void;
  readonly #prepared = new Map<FaultCode, { fault: Fault; fired: number }>();

  /** @param onDamage hears which checkpoint is of no use any more; undefined: none of them is */
  constructor(seed: number, faults: FaultLog, onDamage: (name: string | undefined) => void) {
    this.disk = new FaultyDisk(seed);
    this.#dice = new Dice(seed, -1);
    this.#faults = faults;
    this.#onDamage = onDamage;
  }

  /** The names of checkpoints, the newest last. */
  get checkpoints(): string[] {
    return this.disk.names(FOLDER).filter((name) => name.endsWith('.ckpt'));
  }

  /** How often it has failed. */
  get failures(): number {
    return [...this.disk.fired.values()].reduce((sum, count) => sum + count, this.foldersGone);
  }

  get readErrors(): number {
    return this.disk.fired.get('EIO') ?? 0;
  }

  /** Faults that are due while the coordinator lives. */
  disturb(clock: MortalClock): void {
    this.noteFired();
    if (this.#faults.due('disk error')) {
      this.#prepare('EIO', 'disk error');
      this.disk.failAfter(this.#dice.whole(0, 10), 'EIO');
    }
    if (this.#faults.due('disk full for a while')) {
      this.#prepare('ENOSPC', 'disk full for a while');
      this.disk.refusing = 'ENOSPC';
      clock.after(this.#dice.scale(0.5, 20), () => {
        this.disk.refusing = undefined;
      });
    }
    if (this.#faults.due('checkpoint folder gone')) this.#removeFolder();
  }

  /** The coordinator has ended, and perhaps its machine too. */
  async endLife(powerFails: boolean): Promise<void> {
    this.noteFired();
    this.#prepared.clear();
    this.disk.revive();
    if (powerFails) await this.#failPower();
    if (this.#faults.due('bit flipped in the newest checkpoint')) this.#damageNewest();
    if (this.#faults.due('checkpoint folder gone')) this.#removeFolder();
  }

  /** Counts faults that were prepared, once the disk has really met them. */
  noteFired(): void {
    for (const [code, { fault, fired }] of this.#prepared) {
      if ((this.disk.fired.get(code) ?? 0) === fired) continue;
      this.#prepared.delete(code);
      this.#faults.happened(fault);
    }
  }

  #prepare(code: FaultCode, fault: Fault): void {
    this.#prepared.set(code, { fault, fired: this.disk.fired.get(code) ?? 0 });
  }

  async #failPower(): Promise<void> {
    const before = await this.#files();
    this.disk.restart();
    const after = await this.#files();
    this.#faults.happened('power failure');
    for (const [name, content] of before) {
      const left = after.get(name);
      if (!left?.some((byte) => byte !== 0)) this.#faults.happened('un-synced write lost');
      else if (!content.equals(left)) this.#faults.happened('torn write');
    }
  }

  async #files(): Promise<Map<string, Buffer>> {
    const files = new Map<string, Buffer>();
    for (const name of this.disk.names(FOLDER)) {
      files.set(name, Buffer.from(await this.disk.read(`${FOLDER}/${name}`)));
    }
    return files;
  }

  #damageNewest(): void {
    const name = this.checkpoints.at(-1);
    if (name === undefined) return;
    this.disk.flipBit(`${FOLDER}/${name}`);
    this.damaged.add(name);
    this.#onDamage(name);
    this.#faults.happened('bit flipped in the newest checkpoint');
  }

  #removeFolder(): void {
    if (this.checkpoints.length === 0) return;
    this.disk.removeFolder(FOLDER);
    this.foldersGone += 1;
    this.#onDamage(undefined);
    this.#faults.happened('checkpoint folder gone');
  }
}
