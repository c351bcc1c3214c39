import path from 'node:path';
import type { Disk, DiskFile } from '../../../coordinator/checkpoint/disk.js';
import { Dice } from '../../sim/dice.js';

/** What a disk does, as its log names it. */
export type Operation =
  | 'makeFolder'
  | 'list'
  | 'read'
  | 'create'
  | 'write'
  | 'sync'
  | 'close'
  | 'rename'
  | 'remove'
  | 'syncFolder';
export type FaultCode = 'ENOSPC' | 'EACCES' | 'EIO';

/** What changes a name; it may or may not have reached the disk when the power fails. */
type Change = (names: Map<string, File>) => void;

interface File {
  /** What a reader sees. */
  content: Buffer;
  /** What of it is sure to outlast a power failure. */
  durable: Buffer;
  /** A failed sync gave up what had been written: no later one brings it to the disk. */
  givenUp: boolean;
}

interface Folder {
  names: Map<string, File>;
  durable: Map<string, File>;
  /** What led from `durable` to `names`. */
  changes: Change[];
}

const READING: readonly Operation[] = ['list', 'read', 'close'];

/**
 * A disk in memory that forgets as the worst real one may. When its power fails, a file keeps of
 * what was not synced only a beginning, or zeros, and each change of a name since the folder's last
 * sync is there or is not, all as the seed has it.
 */
export class FaultyDisk implements Disk {
  /** Every operation that was begun, those that failed too. */
  readonly log: Operation[] = [];
  /** How often each fault has happened. */
  readonly fired = new Map<FaultCode | 'power failure', number>();
  /** While this is set, nothing can be changed. */
  refusing: FaultCode | undefined;
  readonly #dice: Dice;
  readonly #folders = new Map<string, Folder>();
  readonly #failures = new Map<number, FaultCode>();
  #powerFailsAt = Infinity;
  #on = true;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
  }

  /** The operation after `after` more fails. */
  failAfter(after: number, code: FaultCode): void {
    this.#failures.set(this.log.length + after, code);
  }

  /** The power fails after `after` more operations; every later one fails until `restart`. */
  losePowerAfter(after: number): void {
    this.#powerFailsAt = this.log.length + after;
  }

  /** The power comes back: what is left is what was on the disk. Faults to come are forgotten. */
  restart(): void {
    for (const folder of this.#folders.values()) {
      const survived = new Map(folder.durable);
      for (const change of folder.changes) if (this.#dice.chance(0.5)) change(survived);
      for (const file of survived.values()) {
        file.content = this.#remains(file);
        file.durable = file.content;
        file.givenUp = false;
      }
      folder.names = survived;
      folder.durable = new Map(survived);
      folder.changes = [];
    }
    this.revive();
  }

  /** As if only the process had ended, not the machine: nothing is lost. */
  revive(): void {
    this.#powerFailsAt = Infinity;
    this.#failures.clear();
    this.refusing = undefined;
    this.#on = true;
  }

  /** Turns one bit of a file over, for good: any, or the one given. */
  flipBit(file: string, bit?: number): void {
    const { content } = this.#file(file);
    const chosen = bit ?? this.#dice.whole(0, 8 * content.length - 1);
    const flipped = Buffer.from(content);
    flipped[chosen >> 3] = (content[chosen >> 3] ?? 0) ^ (1 << (chosen & 7));
    this.put(file, flipped);
  }

  /** Puts a file there for good, in one go; makes its folder. */
  put(file: string, content: Uint8Array): void {
    const folder = this.#folders.get(path.dirname(file)) ?? newFolder();
    this.#folders.set(path.dirname(file), folder);
    const bytes = Buffer.from(content);
    const entry = { content: bytes, durable: bytes, givenUp: false };
    folder.names.set(path.basename(file), entry);
    folder.durable.set(path.basename(file), entry);
  }

  /** Takes a folder away for good, with what is in it. */
  removeFolder(folder: string): void {
    this.#folders.delete(folder);
  }

  /** The names in a folder, in order. */
  names(folder: string): string[] {
    return [...(this.#folders.get(folder)?.names.keys() ?? [])].sort();
  }

  /** What is in a file; undefined if there is none. */
  content(file: string): Buffer | undefined {
    return this.#folders.get(path.dirname(file))?.names.get(path.basename(file))?.content;
  }

  list(folder: string): Promise<readonly string[]> {
    return this.#operate('list', () => [...this.#folder(folder).names.keys()]);
  }

  read(file: string): Promise<Uint8Array> {
    return this.#operate('read', () => Buffer.from(this.#file(file).content));
  }

  create(file: string): Promise<DiskFile> {
    return this.#operate('create', () => {
      const folder = this.#folder(path.dirname(file));
      const name = path.basename(file);
      const found = folder.names.get(name);
      const opened = found ?? {
        content: Buffer.alloc(0),
        durable: Buffer.alloc(0),
        givenUp: false,
      };
      opened.content = Buffer.alloc(0);
      opened.givenUp = false;
      if (!found) change(folder, (names) => names.set(name, opened));
      return this.#open(opened);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#operate('rename', () => {
      const file = this.#file(from);
      change(this.#folder(path.dirname(to)), (names) => {
        if (names.get(path.basename(from)) === file) names.delete(path.basename(from));
        names.set(path.basename(to), file);
      });
    });
  }

  remove(file: string): Promise<void> {
    return this.#operate('remove', () => {
      this.#file(file);
      change(this.#folder(path.dirname(file)), (names) => names.delete(path.basename(file)));
    });
  }

  makeFolder(folder: string): Promise<void> {
    return this.#operate('makeFolder', () => {
      if (!this.#folders.has(folder)) this.#folders.set(folder, newFolder());
    });
  }

  syncFolder(folder: string): Promise<void> {
    return this.#operate('syncFolder', () => {
      const found = this.#folder(folder);
      found.durable = new Map(found.names);
      found.changes = [];
    });
  }

  #open(file: File): DiskFile {
    return {
      write: (bytes) =>
        this.#operate(
          'write',
          () => {
            file.content = Buffer.concat([file.content, bytes]);
          },
          () => {
            const some = bytes.subarray(0, this.#dice.whole(0, bytes.length));
            file.content = Buffer.concat([file.content, some]);
          },
        ),
      sync: () =>
        this.#operate(
          'sync',
          () => {
            if (!file.givenUp) file.durable = file.content;
          },
          () => {
            file.givenUp = true;
          },
        ),
      close: () => this.#operate('close', () => undefined),
    };
  }

  /** What a power failure leaves of a file. */
  #remains({ content, durable }: File): Buffer {
    if (content === durable) return content;
    if (this.#dice.chance(0.25)) return content;
    const kept = content.subarray(0, this.#dice.whole(0, content.length));
    if (this.#dice.chance(0.5)) return Buffer.from(kept);
    // The file had its length before it had its bytes.
    return Buffer.concat([kept, Buffer.alloc(content.length - kept.length)]);
  }

  #operate<Result>(
    operation: Operation,
    action: () => Result,
    onFault: () => void = () => undefined,
  ): Promise<Result> {
    return new Promise((resolve) => {
      const number = this.log.push(operation) - 1;
      if (this.#on && number >= this.#powerFailsAt) {
        this.#on = false;
        this.#count('power failure');
      }
      if (!this.#on) throw new Error('the power is off');
      const refused = READING.includes(operation) ? undefined : this.refusing;
      const code = this.#failures.get(number) ?? refused;
      if (code !== undefined) {
        this.#count(code);
        onFault();
        throw systemError(code, operation);
      }
      resolve(action());
    });
  }

  #count(fault: FaultCode | 'power failure'): void {
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
  }

  #folder(folder: string): Folder {
    const found = this.#folders.get(folder);
    if (!found) throw systemError('ENOENT', folder);
    return found;
  }

  #file(file: string): File {
    const found = this.#folder(path.dirname(file)).names.get(path.basename(file));
    if (!found) throw systemError('ENOENT', file);
    return found;
  }
}

function newFolder(): Folder {
  return { names: new Map(), durable: new Map(), changes: [] };
}

function change(folder: Folder, action: Change): void {
  action(folder.names);
  folder.changes.push(action);
}

function systemError(code: string, where: string): Error {
  return Object.assign(new Error(`${code}: ${where}`), { code });
}
