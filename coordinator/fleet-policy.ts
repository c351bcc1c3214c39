import type { FleetSettings, PolicyName } from '../src/config/types.js';
import { limits } from '../src/protocol/protocol.js';
import type { RunComparison } from './core-messages.js';
import type { Member } from './member.js';
import { chooseFleet, type FleetProblem, type Forecast, forecast, type Need } from './policy.js';
import { blockOf, fluidSeconds, shareOut, type Speed } from './ranges.js';
import type { Roster } from './roster.js';

export interface FleetOptions extends Pick<FleetSettings, 'releaseIdle'> {
  readonly policy: PolicyName;
}

/** Seconds of a step, as the choice between steps alone and together sees them. */
export interface StepTimes {
  readonly microBatches: number;
  /** Of the local threads alone, if they compute and it is known. */
  readonly alone: number | undefined;
  /** Of a step with remote members that is predicted to take so many seconds. */
  readonly together: (predicted: number) => number;
}

/** So many speeds at most are shared out block by block to see how long a step takes. */
const FEW = 8;

/** Who is asked to compute, by what that costs and takes: looked at anew whenever that changes. */
export class FleetPolicy {
  readonly #options: FleetOptions;
  #nextAt = 0;
  #key = '';
  #problem: (FleetProblem & { readonly shared: FleetProblem['stepSeconds'] }) | undefined;
  #candidates: readonly Member[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Benches members whose speed is known, or takes them from the bench, before a step begins. */
  decide(roster: Roster, need: () => Need, times: StepTimes, now: number): void {
    const { local } = roster;
    const known = roster.remotes.filter((member) => member.speed !== undefined);
    const key = known.map(({ id }) => id).join();
    if (key === this.#key && now < this.#nextAt) return;
    // What the local threads do alone is what all others are held against.
    if (known.length === 0 || (local && times.alone === undefined)) return;
    this.#key = key;
    this.#nextAt = now + limits.policyEvery;
    this.#candidates = known;
    this.#problem = this.#problemOf(known, roster, need(), times, now);
    const chosen = chooseFleet(
      this.#problem,
      known.map(({ benched }) => !benched),
    );
    for (const [index, member] of known.entries()) member.benched = chosen[index] === false;
  }

  /** Why a member is benched, or is not; undefined if nothing was decided about it. */
  compare(member: Member): RunComparison | undefined {
    const problem = this.#problem;
    const index = this.#candidates.indexOf(member);
    if (!problem || index === -1) return undefined;
    const rest = (computes: boolean): Forecast => {
      const chosen = this.#candidates.map(({ benched }) => !benched);
      chosen[index] = computes;
      return forecast({ ...problem, stepSeconds: problem.shared }, chosen);
    };
    return {
      of: 'run',
      policy: this.#options.policy,
      withIt: rest(true),
      withoutIt: rest(false),
    };
  }

  /** Whether a member that has been left without work for a while is to go. */
  isToGo(member: Member, now: number): boolean {
    return this.#options.releaseIdle && member.isIdleForLong(now) && member.paidSeconds(now) === 0;
  }

  #problemOf(
    known: readonly Member[],
    roster: Roster,
    need: Need,
    times: StepTimes,
    now: number,
  ): FleetProblem & { readonly shared: FleetProblem['stepSeconds'] } {
    const paid = (member: Member) => ({
      perSecond: member.perSecond,
      paidSeconds: member.paidSeconds(now),
    });
    const speeds = known.map(({ speed }) => speed ?? { link: 0, pace: Infinity });
    const { alone = Infinity, together, microBatches } = times;
    const own = roster.local?.speed ?? { link: 0, pace: alone / microBatches };
    /** All of the chosen have shares. */
    const shared = (chosen: readonly boolean[]): number => {
      const remote = speeds.filter((_, index) => chosen[index]);
      if (remote.length === 0) return alone;
      return together(secondsTogether(alone < Infinity ? [...remote, own] : remote, microBatches));
    };
    return {
      policy: this.#options.policy,
      need,
      release: this.#options.releaseIdle,
      candidates: known.map((member) => ({ ...paid(member), perStep: member.perAnswer })),
      others: roster.all.filter((member) => !known.includes(member)).map(paid),
      shared,
      // Where shares take longer the local threads go on alone.
      stepSeconds: (chosen) => Math.min(alone, shared(chosen)),
    };
  }
}

function secondsTogether(speeds: readonly Speed[], microBatches: number): number {
  const block = blockOf(microBatches, speeds.length);
  if (speeds.length > FEW) return fluidSeconds(microBatches, speeds, block);
  return shareOut({ first: 0, last: microBatches }, speeds, block).seconds;
}
