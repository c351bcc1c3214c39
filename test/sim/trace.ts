import type { CoreCommand, CoreEvent } from '../../coordinator/core-messages.js';
import type { Clock } from '../../plan/simulation/clock.js';
import type { Answer } from './members.js';

/** What happened, a line for each event, command and fault, to be read when a run goes wrong. */
export class Trace {
  readonly #clock: Clock;
  readonly #lines: (() => string)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(sentence: string): void {
    const { now } = this.#clock;
    this.#lines.push(() => `${now.toFixed(4).padStart(9)}  ${sentence}`);
  }

  event(event: CoreEvent<Answer>): void {
    this.#add('', event);
  }

  command(command: CoreCommand<Answer>): void {
    this.#add('    ', command);
  }

  toString(): string {
    return this.last(Infinity);
  }

  last(count: number): string {
    const omitted = Math.max(0, this.#lines.length - count);
    const start = omitted > 0 ? [`${omitted} lines before`] : [];
    return [...start, ...this.#lines.slice(-count).map((line) => line())].join('\n');
  }

  // Most runs go well and nobody reads their lines, so they are only written when they are asked for.
  #add(indent: string, what: CoreEvent<Answer> | CoreCommand<Answer>): void {
    const { now } = this.#clock;
    this.#lines.push(() => `${now.toFixed(4).padStart(9)}  ${indent}${what.type} ${details(what)}`);
  }
}

/** As JSON, which has no place for amounts of money. */
export function text(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? String(inner) : inner,
  );
}

function details(from: CoreEvent<Answer> | CoreCommand<Answer>): string {
  const values = Object.entries(from).filter(([key]) => key !== 'type' && key !== 'pieces');
  return values.map(([key, value]) => `${key}=${text(value).replaceAll('"', '')}`).join(' ');
}
