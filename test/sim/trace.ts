import type { CoreCommand, CoreEvent } from '../../coordinator/core-messages.js';
import type { Answer } from './audit.js';
import type { Clock } from './clock.js';

const LINES = 80;

/** What happened, a line for each event, command and fault, to be read when a run goes wrong. */
export class Trace {
  readonly #clock: Clock;
  readonly #lines: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(sentence: string): void {
    this.#lines.push(`${this.#clock.now.toFixed(4).padStart(9)}  ${sentence}`);
  }

  event(event: CoreEvent<Answer>): void {
    this.note(`${event.type} ${details(event)}`);
  }

  command(command: CoreCommand<Answer>): void {
    this.note(`    ${command.type} ${details(command)}`);
  }

  toString(): string {
    const omitted = Math.max(0, this.#lines.length - LINES);
    const start = omitted > 0 ? [`${omitted} lines before`] : [];
    return [...start, ...this.#lines.slice(-LINES)].join('\n');
  }
}

function details(from: CoreEvent<Answer> | CoreCommand<Answer>): string {
  const values = Object.entries(from).filter(([key]) => key !== 'type' && key !== 'pieces');
  return values
    .map(([key, value]) => `${key}=${JSON.stringify(value).replaceAll('"', '')}`)
    .join(' ');
}
