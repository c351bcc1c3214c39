import { policies, type PolicyName } from '../src/config/types.js';

/** What a machine costs while it is there. Money is in micro-units. */
interface Paid {
  readonly perSecond: number;
  /** Seconds from now on that are paid already, whether it stays or not. */
  readonly paidSeconds: number;
}

/** A worker that may compute or be benched. */
export interface Candidate extends Paid {
  /** What sending its part of a step costs. */
  readonly perStep: number;
}

/** What is left to do, and what is left for it. Infinity: as much as it takes. */
export interface Need {
  readonly steps: number;
  readonly seconds: number;
  readonly money: number;
}

export interface FleetProblem {
  readonly policy: PolicyName;
  readonly need: Need;
  readonly candidates: readonly Candidate[];
  /** Who is there, and costs, whoever computes. */
  readonly others: readonly Paid[];
  /** Whoever is benched is told to go, and costs nothing any more. */
  readonly release: boolean;
  /** Seconds of a step that the chosen ones take, with the coordinator's own threads if it has any. */
  readonly stepSeconds: (chosen: readonly boolean[]) => number;
}

export interface Forecast {
  /** Steps that there is time and money for, at most all that are left. */
  readonly steps: number;
  /** Of all steps that are left, whatever the limits. */
  readonly seconds: number;
  readonly cost: number;
}

/** What each policy has as little of as it can. */
const aims: Record<PolicyName, (of: Forecast) => number> = {
  cheapest: ({ cost }) => cost,
  fastest: ({ seconds }) => seconds,
  balanced: ({ cost, seconds }) => cost * seconds,
};

/** Another fleet must be better by so much than the one at work. */
const MARGIN = 0.05;
/** The part of the time and the money that is kept back, since speeds are not known better. */
const RESERVE = 0.07;
/** So many workers are tried in every combination; of more, those that are best alone. */
const EXACT = 6;
/** Up to so many, the best choice is then bettered by one worker more or less at a time. */
const SEARCHED = 32;

/** What the rest of the run takes and costs. @param scale of the seconds and the money */
export function forecast(
  { need, candidates, others, release, stepSeconds }: FleetProblem,
  chosen: readonly boolean[],
  scale = 1,
): Forecast {
  const step = scale * stepSeconds(chosen);
  if (!Number.isFinite(step)) return { steps: 0, seconds: Infinity, cost: Infinity };
  const there = [...others, ...candidates.filter((_, index) => !release || chosen[index] === true)];
  const perStep = candidates.reduce(
    (sum, candidate, index) => sum + (chosen[index] ? candidate.perStep : 0),
    0,
  );
  const costOf = (steps: number): number => {
    const seconds = steps * step;
    const time = there.reduce(
      (sum, { perSecond, paidSeconds }) => sum + perSecond * Math.max(0, seconds - paidSeconds),
      0,
    );
    return scale * (time + steps * perStep);
  };
  const left = 1 - RESERVE;
  const inTime = Math.min(need.steps, Math.floor((left * need.seconds) / step));
  const paid = most(Math.max(0, inTime), (steps) => costOf(steps) <= left * need.money);
  return { steps: paid, seconds: need.steps * step, cost: costOf(need.steps) };
}

/** The largest whole number up to `limit` that fits, if 0 does and all below it do. */
function most(limit: number, fits: (value: number) => boolean): number {
  if (fits(limit)) return limit;
  let [least, above] = [0, limit];
  while (above - least > 1) {
    const middle = Math.floor((least + above) / 2);
    if (fits(middle)) least = middle;
    else above = middle;
  }
  return least;
}

/**
 * Whether one forecast is better than another: first the more steps within the limits, which both
 * take all that are left if they can; then what the policy is for; then the sooner, then the cheaper.
 */
export function isBetter(policy: PolicyName, one: Forecast, other: Forecast): boolean {
  const order = [({ steps }: Forecast) => -steps, aims[policy], aims.fastest, aims.cheapest];
  for (const value of order) {
    const [left, right] = [value(one), value(other)];
    if (left !== right) return left < right;
  }
  return false;
}

/**
 * Who of the candidates should compute.
 * @param current who does; it stands until another choice is clearly better
 */
export function chooseFleet(problem: FleetProblem, current: readonly boolean[]): boolean[] {
  const { policy, candidates } = problem;
  let best = [...current];
  let expected = forecast(problem, current, 1 - MARGIN);
  const isBest = (chosen: readonly boolean[]): boolean => {
    const other = forecast(problem, chosen);
    if (!isBetter(policy, other, expected)) return false;
    [best, expected] = [[...chosen], other];
    return true;
  };
  if (candidates.length <= EXACT) {
    for (const chosen of combinations(candidates.length)) isBest(chosen);
    return best;
  }
  for (const chosen of promising(problem)) isBest(chosen);
  let goesOn = candidates.length <= SEARCHED;
  while (goesOn) {
    const from = best;
    goesOn = false;
    for (const index of candidates.keys()) {
      goesOn = isBest(from.map((is, other) => (other === index ? !is : is))) || goesOn;
    }
  }
  return best;
}

/** All of them first: whoever makes no difference is kept. */
function* combinations(count: number): Generator<boolean[]> {
  for (let bits = 2 ** count - 1; bits >= 0; bits--) {
    yield Array.from({ length: count }, (_, index) => ((bits >> index) & 1) === 1);
  }
}

/** All, and then without the worst one, two, three …, each judged alone by one of the policies. */
function* promising(problem: FleetProblem): Generator<boolean[]> {
  const { candidates } = problem;
  const alone = [...candidates.keys()].map((index) => ({
    index,
    ...forecast(
      problem,
      candidates.map((_, other) => other === index),
    ),
  }));
  for (const policy of policies) {
    const chosen = candidates.map(() => true);
    yield [...chosen];
    const aim = aims[policy];
    for (const { index } of alone.toSorted((one, other) => aim(other) - aim(one))) {
      chosen[index] = false;
      yield [...chosen];
    }
  }
}
