import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Candidate,
  chooseFleet,
  type FleetProblem,
  type Forecast,
  forecast,
  isBetter,
} from '../../coordinator/policy.js';
import { type Speed, shareOut } from '../../coordinator/ranges.js';
import { policies, type PolicyName } from '../../src/config/types.js';

const MICRO_BATCHES = 32;

interface Machine extends Candidate, Speed {}

/** Seconds of a step, block by block. */
function stepOf(speeds: readonly Speed[]): number {
  if (speeds.length === 0) return Infinity;
  return shareOut({ first: 0, last: MICRO_BATCHES }, speeds).seconds;
}

function problemOf(
  machines: readonly Machine[],
  local: Speed | undefined,
  rest: Pick<FleetProblem, 'policy' | 'need' | 'release' | 'others'>,
): FleetProblem {
  const own = local ? [local] : [];
  return {
    ...rest,
    candidates: machines,
    stepSeconds: (chosen) => stepOf([...own, ...machines.filter((_, index) => chosen[index])]),
  };
}

const machine: fc.Arbitrary<Machine> = fc.record({
  link: fc.double({ min: 0, max: 0.5, noNaN: true }),
  pace: fc.double({ min: 0.001, max: 0.2, noNaN: true }),
  perSecond: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1000 })),
  paidSeconds: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3600 })),
  perStep: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 })),
});

function problems(most: number, least = 1): fc.Arbitrary<FleetProblem> {
  const limit = (max: number): fc.Arbitrary<number> =>
    fc.oneof(fc.constant(Infinity), fc.double({ min: 1, max, noNaN: true }));
  return fc
    .record({
      machines: fc.array(machine, { minLength: least, maxLength: most }),
      local: fc.option(fc.record({ link: fc.constant(0), pace: fc.constantFrom(0.01, 0.1) }), {
        nil: undefined,
      }),
      policy: fc.constantFrom(...policies),
      need: fc.record({
        steps: fc.integer({ min: 1, max: 10_000 }),
        seconds: limit(5_000),
        money: limit(1e7),
      }),
      release: fc.boolean(),
      others: fc.array(
        fc.record({ perSecond: fc.nat({ max: 500 }), paidSeconds: fc.nat({ max: 60 }) }),
        {
          maxLength: 2,
        },
      ),
    })
    .map(({ machines, local, ...rest }) => problemOf(machines, local, rest));
}

function* subsets(count: number): Generator<boolean[]> {
  for (let bits = 0; bits < 2 ** count; bits++) {
    yield Array.from({ length: count }, (_, index) => Math.floor(bits / 2 ** index) % 2 === 1);
  }
}

/** By its definition: who is there, for how long, and what each step costs. */
function plainCost(problem: FleetProblem, chosen: readonly boolean[]): number {
  const { candidates, others, need, release } = problem;
  const seconds = need.steps * problem.stepSeconds(chosen);
  const time = (perSecond: number, paid: number): number =>
    seconds > paid ? perSecond * (seconds - paid) : 0;
  let cost = 0;
  for (const { perSecond, paidSeconds } of others) cost += time(perSecond, paidSeconds);
  for (const [index, { perSecond, paidSeconds, perStep }] of candidates.entries()) {
    if (chosen[index] || !release) cost += time(perSecond, paidSeconds);
    if (chosen[index]) cost += need.steps * perStep;
  }
  return cost;
}

const KEPT_BACK = 0.93;
/** Another fleet must be better than the one at work by so much. */
const CLEARLY = 1 / 0.95;

describe('of up to six workers', () => {
  test('the best fleet of all is chosen, by a plain count of every one', () => {
    fc.assert(
      fc.property(problems(6), (problem) => {
        const { policy, need, candidates } = problem;
        const chosen = chooseFleet(
          problem,
          candidates.map(() => false),
        );
        const value = (fleet: readonly boolean[]): number => {
          const seconds = need.steps * problem.stepSeconds(fleet);
          const cost = plainCost(problem, fleet);
          return { cheapest: cost, fastest: seconds, balanced: cost * seconds }[policy];
        };
        const fits = (fleet: readonly boolean[]): boolean =>
          need.steps * problem.stepSeconds(fleet) <= KEPT_BACK * need.seconds &&
          plainCost(problem, fleet) <= KEPT_BACK * need.money;
        const fitting = [...subsets(candidates.length)].filter(
          (fleet) => Number.isFinite(problem.stepSeconds(fleet)) && fits(fleet),
        );
        // The empty fleet, where it is at work, is kept unless another is clearly better.
        if (fitting.length === 0 || !chosen.some(Boolean)) return;
        expect(fits(chosen)).toBe(true);
        const best = Math.min(...fitting.map(value));
        expect(value(chosen)).toBeLessThanOrEqual(best * (1 + 1e-9));
      }),
      { numRuns: 2_000 },
    );
  });

  test('where none keeps the limits, the most steps are taken that they leave room for', () => {
    fc.assert(
      fc.property(problems(5), (problem) => {
        const all = [...subsets(problem.candidates.length)];
        const most = Math.max(...all.map((fleet) => forecast(problem, fleet).steps));
        const chosen = chooseFleet(
          problem,
          problem.candidates.map(() => false),
        );
        const steps = forecast(problem, chosen).steps;
        expect(steps).toBeGreaterThanOrEqual(Math.floor(most / CLEARLY ** 2) - 1);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('of more workers the choice is nearly as good as the best', () => {
  let worst = 1;
  fc.assert(
    fc.property(problems(9, 7), (problem) => {
      const { policy, candidates } = problem;
      const chosen = forecast(
        problem,
        chooseFleet(
          problem,
          candidates.map(() => true),
        ),
      );
      let best: Forecast = chosen;
      for (const fleet of subsets(candidates.length)) {
        const other = forecast(problem, fleet);
        if (isBetter(policy, other, best)) best = other;
      }
      const value = ({ cost, seconds }: Forecast): number =>
        ({ cheapest: cost, fastest: seconds, balanced: cost * seconds })[policy];
      if (best.steps < problem.need.steps || chosen.steps < problem.need.steps) return;
      if (value(best) > 0) worst = Math.max(worst, value(chosen) / value(best));
    }),
    // A quality of the heuristic, not a law: the same problems every time.
    { numRuns: 300, seed: 1 },
  );
  expect(worst).toBeLessThan(2);
});

describe('the choice', () => {
  test('is not taken back because speeds and prices have moved by a little', () => {
    fc.assert(
      fc.property(
        problems(6),
        fc.array(fc.double({ min: 0.99, max: 1.01, noNaN: true }), { minLength: 6, maxLength: 6 }),
        (problem, noise) => {
          const unlimited = {
            ...problem,
            need: { steps: 100, seconds: Infinity, money: Infinity },
            candidates: problem.candidates.map((each) => ({ ...each, paidSeconds: 0 })),
            others: [],
          };
          const before = problem.candidates.map(() => true);
          const chosen = chooseFleet(unlimited, before);
          fc.pre(String(chosen) !== String(before));
          const moved = {
            ...unlimited,
            candidates: unlimited.candidates.map((each, index) => ({
              ...each,
              perSecond: each.perSecond * (noise[index] ?? 1),
              perStep: each.perStep * (noise[index] ?? 1),
            })),
            stepSeconds: (fleet: readonly boolean[]) =>
              unlimited.stepSeconds(fleet) * (noise[fleet.filter(Boolean).length] ?? 1),
          };
          expect(chooseFleet(moved, chosen)).not.toEqual(before);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  const plain = { perSecond: 0, paidSeconds: 0, perStep: 0, link: 0, pace: 0.1 };
  const endless = { steps: 1_000, seconds: Infinity, money: Infinity };
  const choose = (
    machines: readonly Machine[],
    rest: Partial<Pick<FleetProblem, 'policy' | 'need' | 'release' | 'others'>> = {},
    current = machines.map(() => true),
  ): boolean[] => {
    const defaults = { policy: 'cheapest', need: endless, release: true, others: [] } as const;
    const problem = problemOf(machines, undefined, { ...defaults, ...rest });
    return chooseFleet(problem, current);
  };
  const slowAndCheap = { ...plain, pace: 0.1, perSecond: 10 };
  const fastAndDear = { ...plain, pace: 0.025, perSecond: 100 };

  test.each<[PolicyName, boolean[]]>([
    // 3200 s and 32,000; 800 s and 80,000; 640 s and 70,400 together.
    ['cheapest', [true, false]],
    ['fastest', [true, true]],
    ['balanced', [true, true]],
  ])('that is %s', (policy, expected) => {
    expect(choose([slowAndCheap, fastAndDear], { policy })).toEqual(expected);
  });

  test('that is cheapest takes who is dear if the deadline wants it', () => {
    const machines = [slowAndCheap, fastAndDear];
    const within = (seconds: number): boolean[] =>
      choose(machines, { need: { ...endless, seconds } });
    expect(within(4_000)).toEqual([true, false]);
    expect(within(3_000)).toEqual([true, true]);
  });

  test('that is fastest leaves out who is dear if the budget wants it', () => {
    const machines = [slowAndCheap, fastAndDear];
    const within = (money: number): boolean[] =>
      choose(machines, { policy: 'fastest', need: { ...endless, money } });
    expect(within(80_000)).toEqual([true, true]);
    expect(within(60_000)).toEqual([true, false]);
  });

  test('takes a dear worker whose time is paid already', () => {
    const paid = { ...fastAndDear, paidSeconds: 3_600 };
    expect(choose([slowAndCheap, paid])[1]).toBe(true);
  });

  test('has everybody compute who costs as much on the bench', () => {
    expect(choose([slowAndCheap, fastAndDear], { release: false })).toEqual([true, true]);
  });

  test('counts what sending costs', () => {
    const faraway = { ...plain, perStep: 50 };
    expect(choose([slowAndCheap, faraway], { release: false })).toEqual([true, false]);
  });

  test.each(policies)('leaves out who adds more waiting than it saves: %s', (policy) => {
    const late = { ...plain, link: 10, perSecond: 200 };
    const machines = [slowAndCheap, fastAndDear, late];
    expect(choose(machines, { policy }, [true, true, false])[2]).toBe(false);
  });
});
