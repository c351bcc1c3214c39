import type { CoreCommand } from './core-messages.js';
import { FleetChoice } from './fleet-choice.js';
import { type FleetOptions, FleetPolicy } from './fleet-policy.js';
import type { Need } from './policy.js';
import { blockOf } from './ranges.js';
import { Roster, type Share } from './roster.js';
import { StepWork } from './step-work.js';

type Emit = (command: CoreCommand<never>) => void;

/** Who computes what of the step under way. All times are in seconds. */
export class Assignment {
  readonly #emit: Emit;
  readonly #choice = new FleetChoice();
  readonly #policy: FleetPolicy | undefined;
  readonly roster = new Roster(() => this.#choice.alone);
  #work: StepWork;
  /** When the step began, and what it is predicted to take if remote members have shares. */
  #since = 0;
  #predicted: number | undefined;
  #waiting = false;
  #alarm: number | undefined;

  constructor(
    emit: Emit,
    firstStep: number,
    microBatches: number,
    fleet: FleetOptions | undefined,
  ) {
    this.#emit = emit;
    this.#policy = fleet && new FleetPolicy(fleet);
    this.#work = new StepWork(firstStep, microBatches);
  }

  get work(): StepWork {
    return this.#work;
  }

  /**
   * Begins a step.
   * @param need what is left to do, and for it
   * @returns whether the local threads are to take it, and as many after it as they like, alone;
   * else shares have been given out
   */
  begin(step: number, microBatches: number, need: () => Need, now: number): boolean {
    this.#work = new StepWork(step, microBatches);
    this.#since = now;
    this.#choose(need, now);
    const { whole } = this.#work;
    const { local } = this.roster;
    const { shares, seconds } = this.roster.shareOut(whole, microBatches);
    if (!local?.idle || seconds === undefined || !this.#betterAlone(shares, seconds, now)) {
      // What is only guessed says nothing about what a step costs beyond its prediction.
      const known = shares.every(({ member }) => this.roster.speedOf(member) !== undefined);
      this.#predicted = known ? seconds : undefined;
      this.#assign(shares, false, now);
      this.dispatch(now);
      this.#noteStandings(0, seconds ?? 0, now);
      return false;
    }
    local.used(now);
    this.#noteStandings(this.#choice.together(seconds), this.aloneSeconds ?? 0, now);
    if (this.roster.probesDue(now).length === 0) return true;
    this.#assign([{ member: local, range: whole }], false, now);
    this.dispatch(now);
    return false;
  }

  /** The step is over; if it was a lease, of so many micro-batches in all. */
  end(leased: number, now: number): void {
    const seconds = now - this.#since;
    if (leased > 0) this.#choice.measureAlone(seconds / leased);
    else if (this.#predicted !== undefined) {
      this.#choice.measureTogether(this.#predicted, seconds);
    }
    this.#predicted = undefined;
  }

  /** Gives what is open to idle members, and probes to those that are left idle. */
  dispatch(now: number): void {
    const { microBatches } = this.#work;
    this.#noteWaiting();
    for (const range of this.#work.open(this.roster.all, now)) {
      this.#assign(this.roster.shareOut(range, microBatches).shares, false, now);
    }
    const range = { first: 0, last: this.#block };
    const probed = this.roster.probesDue(now).map((member) => ({ member, range }));
    this.#assign(probed, true, now);
  }

  /** What the step takes if the local threads take it alone, once that is known. */
  get aloneSeconds(): number | undefined {
    const { pace } = this;
    return pace === undefined ? undefined : pace * this.#work.microBatches;
  }

  /** What the local threads take for a micro-batch, once that is known. */
  get pace(): number | undefined {
    // Steps alone are not seen while all are taken together. A share is no faster than those.
    const paces = [this.#choice.alone, this.roster.local?.speed?.pace];
    const known = paces.filter((pace) => pace !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /**
   * Asks for a timer at the next time at which something is late or somebody stuck.
   * @param end when the run must be over
   */
  setAlarm(now: number, end: number): void {
    const at = Math.min(this.roster.deadline(now), Math.max(now, end));
    if (at === Infinity || (this.#alarm !== undefined && this.#alarm <= at)) return;
    this.#alarm = at;
    this.#emit({ type: 'timer', at });
  }

  /** The timer has come. */
  clearAlarm(): void {
    this.#alarm = undefined;
  }

  /** Benches members, if there is a policy that says whom. */
  #choose(need: () => Need, now: number): void {
    const { microBatches } = this.#work;
    const together = (predicted: number): number => this.#choice.together(predicted);
    this.#policy?.decide(
      this.roster,
      need,
      { microBatches, alone: this.aloneSeconds, together },
      now,
    );
  }

  /** Whether the local threads would end the step sooner than all members together. */
  #betterAlone(shares: readonly Share[], seconds: number, now: number): boolean {
    if (shares.every(({ member }) => member.local)) return true;
    const alone = this.aloneSeconds;
    return alone !== undefined && !this.#choice.decide(seconds, alone, now);
  }

  /** The fewest micro-batches that a share of the step has. */
  get #block(): number {
    const { microBatches } = this.#work;
    return Math.min(blockOf(microBatches, 1), microBatches);
  }

  #noteWaiting(): void {
    const waiting = this.roster.present.length === 0;
    if (waiting && !this.#waiting) this.#emit({ type: 'wait' });
    this.#waiting = waiting;
  }

  #assign(shares: readonly Share[], probe: boolean, now: number): void {
    const { step } = this.#work;
    const without = shares.filter(({ member }) => !member.local && member.weights !== step);
    if (without.length > 0) {
      const members = without.map(({ member }) => member.id);
      this.#emit({ type: 'sendWeights', step, members });
    }
    for (const { member, range } of shares) {
      const speed = this.roster.speedOf(member) ?? this.roster.guess(member);
      member.weights = step;
      member.begin({ step, range, probe }, speed, now);
      if (probe) member.probed(now);
      else member.used(now);
      this.#emit({ type: 'assign', member: member.id, step, range, probe });
    }
  }

  /** Tells members who have been left without a share for some time, and who have one again. */
  #noteStandings(withIt: number, withoutIt: number, now: number): void {
    for (const member of this.roster.remotes) {
      const spare = member.standing(this.#work.step, now);
      const isToGo = this.#policy?.isToGo(member, now) ?? false;
      if (spare === undefined && !isToGo) continue;
      const { link, pace } = member.speed ?? { link: 0, pace: 0 };
      const longest = Math.max(withIt, link + this.#block * pace);
      const rest = member.benched || spare === false ? this.#policy?.compare(member) : undefined;
      const why = rest ?? { of: 'step', withIt: longest, withoutIt };
      if (spare !== undefined) this.#emit({ type: 'standing', member: member.id, spare, why });
      if (!isToGo) continue;
      this.roster.delete(member.id);
      this.#emit({ type: 'release', member: member.id, why });
    }
  }
}
