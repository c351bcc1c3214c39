import { execFileSync } from 'node:child_process';
import { constants, openSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import { entry, type Place } from './place.js';
import type { Running } from './running.js';

/**
 * A pipe in the place of a file. It takes the file's first bytes and no more, so that its writer
 * stands in the middle of writing; files of less than 150 kB are too short for that.
 */
export class Gate {
  /** Resolves when some bytes have been written. */
  readonly reached: Promise<void>;
  #file: string;
  readonly #pipe: Socket;
  #first: Buffer = Buffer.alloc(0);

  private constructor(file: string) {
    this.#file = file;
    // Open for writing too: so it neither waits for a writer nor ends with one.
    const fd = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
    this.#pipe = new Socket({ fd, readable: true, writable: false });
    this.reached = new Promise((resolve) => {
      this.#pipe.once('data', (chunk: Buffer) => {
        this.#pipe.pause();
        this.#first = chunk;
        resolve();
      });
    });
  }

  /** Puts one where `file` will be written. */
  static async at(file: string): Promise<Gate> {
    await mkdir(path.dirname(file), { recursive: true });
    makePipe(file);
    return new Gate(file);
  }

  /**
   * Starts `dtrain` with a gate where it will write its first checkpoint, that of `step`. The file's
   * name holds the number of the process, so a shell that becomes the process puts the gate there.
   */
  static async atCheckpoint(
    place: Place,
    step: number,
    args: readonly string[],
  ): Promise<{ readonly gate: Gate; readonly running: Running }> {
    const gate = await Gate.at(place.at('gate'));
    const temporary = temporaryCheckpoint(place, step);
    const script = 'mkdir -p run/checkpoints && mv gate "$1.$$" && shift && exec "$@"';
    const command = [process.execPath, entry, ...args];
    const running = place.spawn('sh', ['-c', script, 'sh', temporary, ...command]);
    gate.#file = temporaryCheckpoint(place, step, running);
    return { gate, running };
  }

  /** Where it stands. */
  get file(): string {
    return this.#file;
  }

  /** Lets everything through, to nowhere. */
  open(): void {
    this.#pipe.on('data', () => undefined);
    this.#pipe.resume();
  }

  /** Its writer was killed: leaves what a disk would have, a file with the first bytes. */
  leave(): void {
    this.#pipe.destroy();
    rmSync(this.#file);
    writeFileSync(this.#file, this.#first);
  }
}

/** Makes a pipe: whoever opens it to write stands still until somebody reads. */
export function makePipe(file: string): void {
  execFileSync('mkfifo', [file]);
}

/** Where the checkpoint of `run` after a step is while it is written; whatever the process is, without its end. */
export function temporaryCheckpoint(place: Place, step: number, writer?: Running): string {
  const end = writer ? `.${writer.pid}` : '';
  return place.at('run/checkpoints', `.${checkpointName(step)}${end}`);
}

export function checkpointName(step: number): string {
  return `step-${String(step).padStart(9, '0')}.ckpt`;
}
