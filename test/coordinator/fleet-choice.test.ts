import { describe, expect, test } from 'vitest';
import { FleetChoice } from '../../coordinator/fleet-choice.js';
import { limits } from '../../src/protocol/protocol.js';

/** A fleet whose steps take `overhead` seconds more than predicted. */
function fleetWith(overhead: number): FleetChoice {
  const choice = new FleetChoice();
  for (let step = 0; step < 5; step++) choice.measureTogether(1, 1 + overhead);
  return choice;
}

describe('a step together', () => {
  test('takes its prediction, and what steps have taken beyond theirs', () => {
    expect(new FleetChoice().together(2)).toBe(2);
    expect(fleetWith(0.5).together(2)).toBe(2.5);
  });

  test('takes no less than its prediction', () => {
    expect(fleetWith(-0.5).together(2)).toBe(2);
  });
});

describe('a step alone', () => {
  test('takes what such steps have taken, for each micro-batch', () => {
    const choice = new FleetChoice();
    expect(choice.alone).toBeUndefined();
    for (const pace of [3, 1, 2]) choice.measureAlone(pace);
    expect(choice.alone).toBe(2);
  });
});

describe('the choice', () => {
  test('is to compute together as long as that ends sooner, with all it costs', () => {
    const choice = fleetWith(0.5);
    for (let now = 0; now < 100; now++) expect(choice.decide(1, 1.6, now)).toBe(true);
  });

  test('stands until the other is better by a twentieth', () => {
    const together = fleetWith(0);
    expect(together.decide(1.04, 1, 0)).toBe(true);
    expect(together.decide(1.06, 1, 0)).toBe(false);
    expect(together.decide(1.02, 1, 0)).toBe(false);
    expect(together.decide(0.96, 1, 0)).toBe(false);
    expect(together.decide(0.94, 1, 0)).toBe(true);
  });

  test('is to compute alone where even the prediction says so, without a try', () => {
    const choice = fleetWith(0);
    for (let now = 0; now < 1_000; now++) expect(choice.decide(2, 1, now)).toBe(false);
  });

  test('is tried anew where only the cost is against it, and ever more rarely', () => {
    const choice = fleetWith(0.5);
    const tries: number[] = [];
    const tick = 0.25;
    for (let now = 0; now < 200; now += tick) {
      if (!choice.decide(1, 1.2, now)) continue;
      tries.push(now);
      choice.measureTogether(1, 1.5);
    }
    // Each try is one step; the pause begins with the step after it.
    const pauses = tries.map((time, index) => time - (tries[index - 1] ?? -tick) - tick);
    expect(pauses.slice(0, 6)).toEqual([1, 2, 4, 8, 16, 30]);
    expect(new Set(pauses.slice(6))).toEqual(new Set([limits.probe.longest]));
  });

  test('is to compute together for good once a try shows that it costs less', () => {
    const choice = fleetWith(0.5);
    let together = 0;
    for (let now = 0; now < 100; now += 0.25) {
      if (!choice.decide(1, 1.2, now)) continue;
      choice.measureTogether(1, now < 20 ? 1.5 : 1.1);
      if (now > 60) together += 1;
    }
    expect(together).toBe(39 * 4 + 3);
  });
});
