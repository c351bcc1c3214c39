import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { Progress, RunEvent } from '../events.js';
import {
  epochLine,
  profileLines,
  progressLine,
  resultLines,
  startLines,
  workerLine,
} from './text.js';

export interface Loudness {
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Milliseconds between two drawings of the progress line. */
const REDRAW_MS = 100;

/**
 * What a command shows. Lines go to standard output, or to standard error when that is kept for
 * JSON. The progress line is on the same stream if that is a terminal, since two streams may reach
 * a busy terminal out of turn; else on standard error if that is one.
 */
export class Display {
  readonly #loudness: Loudness;
  readonly #lines: NodeJS.WriteStream;
  readonly #terminal: NodeJS.WriteStream | undefined;
  readonly #bar: ReturnType<typeof createLogUpdate> | undefined;
  #progress: Progress | undefined;
  #drawn = 0;
  #epochs = 0;

  constructor(loudness: Loudness) {
    this.#loudness = loudness;
    this.#lines = loudness.json ? process.stderr : process.stdout;
    this.#terminal = [this.#lines, process.stderr].find(({ isTTY }) => isTTY);
    const wanted = process.env.TERM !== 'dumb' && !loudness.quiet;
    this.#bar = this.#terminal && wanted ? createLogUpdate(this.#terminal) : undefined;
  }

  /** A sentence for people. */
  notice(sentence: string): void {
    if (!this.#loudness.quiet) this.#print([sentence]);
  }

  event(event: RunEvent): void {
    if (this.#loudness.json) process.stdout.write(`${JSON.stringify(event)}\n`);
    switch (event.event) {
      case 'start':
        this.#epochs = event.epochs;
        if (!this.#loudness.quiet) this.#print(startLines(event));
        return;
      case 'epoch':
        if (!this.#loudness.quiet) this.#print([epochLine(event, this.#epochs)]);
        return;
      case 'worker':
        if (!this.#loudness.quiet) this.#print([workerLine(event)]);
        return;
      case 'checkpoint':
        return;
      case 'profile':
        this.#print(profileLines(event));
        return;
      case 'result': {
        this.#endProgress();
        const [accuracy = '', ...rest] = resultLines(event);
        this.#print([this.#lines.isTTY ? pc.bold(accuracy) : accuracy, ...rest]);
        return;
      }
    }
  }

  progress(progress: Progress): void {
    this.#progress = progress;
    if (this.#bar && performance.now() - this.#drawn >= REDRAW_MS) this.#draw();
  }

  /** Takes the progress line away; what another stream shows after this comes after it. */
  async close(): Promise<void> {
    this.#endProgress();
    await new Promise((resolve) => this.#lines.write('', resolve));
  }

  #endProgress(): void {
    this.#progress = undefined;
    this.#bar?.clear();
    this.#bar?.done();
  }

  #print(lines: readonly string[]): void {
    this.#bar?.clear();
    this.#lines.write(`${lines.join('\n')}\n`);
    if (this.#progress) this.#draw();
  }

  #draw(): void {
    if (!this.#bar || !this.#terminal || !this.#progress) return;
    this.#drawn = performance.now();
    // A Ctrl-C shows as ^C before it; a line that is wrapped for that could not be taken away.
    this.#bar(progressLine(this.#progress, this.#terminal.columns - '^C'.length));
  }
}
