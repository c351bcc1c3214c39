import { Core, type CoreOptions } from '../../coordinator/core.js';
import {
  type CoreCommand,
  type CoreEvent,
  LOCAL,
  type MemberId,
} from '../../coordinator/core-messages.js';
import type { MicroBatchRange, Speed } from '../../coordinator/ranges.js';
import { batchOf } from '../../src/data/batches.js';
import { profileOf } from './profiles.js';

export type Event = CoreEvent<string>;
export type Command = CoreCommand<string>;
type CommandOf<T extends Command['type']> = Command & { type: T };

/** A run of one epoch without end, of steps of 8 micro-batches. */
export const endless = { plan: { samples: 64_000_000, batch: 64 }, totalSteps: 1_000_000 };

/** Seconds for a micro-batch, in which sums of times are exact. */
export const PACE = 1 / 64;

export const stop: Event = { type: 'stop' };
export const save: Event = { type: 'save' };
export const evaluated: Event = { type: 'evaluated' };
export const updated: Event = { type: 'updated', finite: true };

export function leased(steps: number, finite = true): Event {
  return { type: 'leased', steps, finite, seconds: 0 };
}

export function left(member: MemberId): Event {
  return { type: 'left', member };
}

export function silent(member: MemberId): Event {
  return { type: 'silent', member };
}

export function heard(member: MemberId): Event {
  return { type: 'heard', member };
}

export function piecesOf(member: MemberId, step: number, { first, last }: MicroBatchRange): string {
  return `${member}: ${first}-${last} of ${step}`;
}

/** A core in virtual time, and members that answer by themselves where they have a speed. */
export class CoreUnderTest {
  now = 0;
  /** Seconds that an update takes on the coordinator's main thread. */
  updateSeconds = 0;
  readonly #core: Core<string>;
  readonly #options: CoreOptions;
  readonly #speeds = new Map<MemberId, Speed>();
  readonly #work = new Map<MemberId, CommandOf<'assign'>>();
  #due: { readonly at: number; readonly event: Event }[] = [];

  /** Without options: two epochs of 2 steps, each of 8 micro-batches. */
  constructor(options: Partial<CoreOptions> = {}) {
    this.#options = {
      plan: { samples: 128, batch: 64 },
      totalSteps: 4,
      firstStep: 0,
      startWith: 0,
      longestLease: 256,
      saveEvery: { seconds: 1e9 },
      ...options,
    };
    this.#core = new Core(this.#options);
  }

  get step(): number {
    return this.#core.step;
  }

  /** When the core wants to be told the time, if it does. */
  get timerAt(): number | undefined {
    return this.#due.find(({ event }) => event.type === 'timer')?.at;
  }

  /** What the core answers to all this, timers aside. */
  tell(...events: readonly Event[]): Command[] {
    return events.flatMap((event) => {
      this.#forget(event);
      const commands = this.#core.handle(event, this.now);
      for (const command of commands) this.#schedule(command);
      return commands.filter(({ type }) => type !== 'timer');
    });
  }

  join(member: MemberId, speed?: Partial<Speed>, threads = 1): Command[] {
    if (speed) this.setSpeed(member, speed);
    const profile = profileOf({ threads, local: member === LOCAL });
    return this.tell({ type: 'joined', member, profile });
  }

  /** From its next assignment on. */
  setSpeed(member: MemberId, { link = 0, pace = PACE }: Partial<Speed>): void {
    this.#speeds.set(member, { link, pace });
  }

  /** The member keeps its answer, and all later ones, until `answer`. */
  hold(...members: readonly MemberId[]): void {
    for (const member of members) {
      this.#speeds.delete(member);
      this.#due = this.#due.filter(({ event }) => memberOf(event) !== member);
    }
  }

  /** What the member was asked for and has not answered. */
  workOf(member: MemberId): CommandOf<'assign'> {
    const work = this.#work.get(member);
    if (!work) throw new Error(`Member ${member} has no work.`);
    return work;
  }

  /** The shares of the step under way, as in '4-8', by member. */
  get shares(): Record<MemberId, string> {
    const work = [...this.#work.values()];
    return given(work.filter(({ step, probe }) => step === this.step && !probe));
  }

  /** The member's answer to what it was asked for. */
  answerOf(
    member: MemberId,
    { finite = true, seconds = 0 }: { finite?: boolean; seconds?: number } = {},
  ): Event & { type: 'computed' } {
    const { step, range } = this.workOf(member);
    const pieces = piecesOf(member, step, range);
    return { type: 'computed', member, step, range, pieces, finite, seconds };
  }

  answer(...members: readonly MemberId[]): Command[] {
    return members.flatMap((member) => this.tell(this.answerOf(member)));
  }

  /** What the core commands in the next seconds. */
  advance(seconds: number): Command[] {
    const end = this.now + seconds;
    const commands: Command[] = [];
    while (this.#nextAt <= end) commands.push(...this.#tellNext());
    this.now = end;
    return commands;
  }

  advanceTo(time: number): Command[] {
    return this.advance(time - this.now);
  }

  /** Lets time go on to a command for which `holds` is true. */
  until<T extends Command['type']>(
    type: T,
    holds: (command: CommandOf<T>) => boolean = () => true,
  ): CommandOf<T> {
    while (this.#nextAt < Infinity) {
      for (const command of this.#tellNext()) {
        if (isOf(command, type) && holds(command)) return command;
      }
    }
    throw new Error(`Nothing is left to happen, and no ${type} came.`);
  }

  get #nextAt(): number {
    return Math.min(...this.#due.map(({ at }) => at));
  }

  #tellNext(): Command[] {
    const at = this.#nextAt;
    const next = this.#due.find((due) => due.at === at);
    if (!next) return [];
    this.now = Math.max(at, this.now);
    return this.tell(next.event);
  }

  /** What was told is not told again. */
  #forget(event: Event): void {
    const member = memberOf(event);
    this.#due = this.#due.filter(
      (due) => due.event.type !== event.type || memberOf(due.event) !== member,
    );
  }

  #schedule(command: Command): void {
    switch (command.type) {
      case 'assign': {
        const { member, range } = command;
        this.#work.set(member, command);
        const speed = this.#speeds.get(member);
        if (!speed) return;
        const seconds = (range.last - range.first) * speed.pace;
        this.#after(speed.link + seconds, this.answerOf(member, { seconds }));
        return;
      }
      case 'lease': {
        const { microBatches } = batchOf(this.#options.plan, command.step);
        const pace = this.#speeds.get(LOCAL)?.pace;
        if (pace === undefined) return;
        this.#after(command.steps * microBatches * pace, leased(command.steps));
        return;
      }
      case 'update':
        this.#after(this.updateSeconds, updated);
        return;
      case 'evaluate':
        this.#after(0, evaluated);
        return;
      case 'timer':
        this.#due = this.#due.filter(({ event }) => event.type !== 'timer');
        this.#due.push({ at: command.at, event: { type: 'timer' } });
        return;
      default:
    }
  }

  #after(seconds: number, event: Event): void {
    this.#due.push({ at: this.now + seconds, event });
  }
}

export function all<T extends Command['type']>(
  commands: readonly Command[],
  type: T,
): CommandOf<T>[] {
  return commands.filter((command) => isOf(command, type));
}

/** The ranges that were given out, by member, as in '4-8'. */
export function given(commands: readonly Command[]): Record<MemberId, string> {
  return Object.fromEntries(
    all(commands, 'assign').map(({ member, range }) => [member, `${range.first}-${range.last}`]),
  );
}

function isOf<T extends Command['type']>(command: Command, type: T): command is CommandOf<T> {
  return command.type === type;
}

function memberOf(event: Event): MemberId | undefined {
  return 'member' in event ? event.member : undefined;
}
