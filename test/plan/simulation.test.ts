import { expect, test } from 'vitest';
import type { Basis } from '../../plan/basis.js';
import { Clock } from '../../plan/simulation/clock.js';
import { simulate, type SimulationOptions } from '../../plan/simulation/simulation.js';
import { sweep } from '../../plan/simulation/sweep.js';
import { predictStep } from '../../plan/step-model.js';
import { randomNumbers } from '../reference/random.js';
import { coordinator, job, perHour, threads, worker } from './machines.js';

const stopwatch = (): number => 0;

function workers(count: number, failuresPerHour = 0, awaySeconds = 0.5) {
  return Array.from({ length: count }, () => ({
    machine: worker(),
    failuresPerHour,
    awaySeconds,
  }));
}

function run(changes: Partial<SimulationOptions>) {
  const options = { job, coordinator, local: null, workers: workers(2), steps: 100, seed: 1 };
  return simulate({ ...options, stopwatch, ...changes });
}

test('appointments come in the order of their times, and of their making where equal', () => {
  const clock = new Clock();
  const random = randomNumbers(1);
  const seen: [time: number, number: number][] = [];
  for (let number = 0; number < 500; number++) {
    const time = Math.floor(random() * 50);
    clock.at(time, () => {
      seen.push([time, number]);
      // What is due in the past is due now.
      if (number % 7 === 0) clock.at(time - 5, () => seen.push([time, 500 + number]));
    });
  }
  while (clock.advance());
  expect(seen.length).toBe(500 + 72);
  expect(seen).toEqual(seen.toSorted((one, other) => one[0] - other[0] || one[1] - other[1]));
});

test('the real scheduler takes what the model says, for one worker and for several', () => {
  for (const count of [1, 2, 4]) {
    const { seconds, steps } = run({ workers: workers(count) });
    const machines = workers(count).map(({ machine }) => machine);
    const predicted = predictStep(machines, coordinator, 64, job.parameters).seconds;
    expect(seconds / steps / predicted).toBeGreaterThan(0.85);
    expect(seconds / steps / predicted).toBeLessThan(1.2);
  }
});

test('local threads go alone where a worker would only cost time', () => {
  const far = worker({ link: { latency: 1, byteSeconds: 0 } });
  const one = { machine: far, failuresPerHour: 0, awaySeconds: 0 };
  const { seconds, steps, utilisation } = run({ local: threads(2), workers: [one], steps: 2_000 });
  const alone = predictStep([threads(2)], coordinator, 64, job.parameters).seconds;
  expect(seconds / steps / alone).toBeLessThan(1.2);
  expect(utilisation).toBeLessThan(0.1);
});

test('a simulation is the same each time', () => {
  const failing = { workers: workers(5, 3_600), steps: 300 };
  expect(run(failing)).toEqual(run(failing));
  expect(run({ ...failing, seed: 2 })).not.toEqual(run(failing));
});

test('workers that fail again and again cost time, and every step is taken all the same', () => {
  const sound = run({ workers: workers(4), steps: 1_000 });
  const failing = run({ workers: workers(4, 3_600), steps: 1_000 });
  expect(sound.failures).toBe(0);
  expect(failing.failures).toBeGreaterThan(3);
  expect(failing.steps).toBe(sound.steps);
  expect(failing.seconds).toBeGreaterThan(1.05 * sound.seconds);
});

test('a busy main thread saturates, and the sweep says from how many workers on', async () => {
  const slow = { ...coordinator, messageSeconds: 2e-4, addSeconds: 1e-3 };
  const basis: Basis = {
    ...{ source: 'described', currency: 'USD', profile: null, local: null },
    job: { ...job, batch: 4_096, samples: 409_600 },
    coordinator: slow,
    workers: [
      {
        ...{ machine: worker({ price: perHour(3_600_000n) }), count: 32 },
        ...{ failuresPerHour: 0, awaySeconds: 0 },
      },
    ],
  };
  const told: number[] = [];
  const { sizes, saturation } = await sweep(basis, {
    stopwatch,
    onSize: ({ workers: count }) => told.push(count),
    signal: new AbortController().signal,
  });
  expect(told).toEqual([1, 2, 3, 4, 8, 16, 32]);
  expect(saturation?.limit).toBe('serial');
  expect(saturation?.workers).toBeLessThan(32);
  expect(sizes.at(-1)?.busy).toBeGreaterThan(0.5);
  const [one, two] = sizes;
  expect(one?.cost).toBe(1_000n * BigInt(Math.ceil(one?.trainSeconds ?? NaN)));
  expect(two?.trainSeconds).toBeLessThan(one?.trainSeconds ?? NaN);
});

test('a fleet of which every worker helps is not saturated', async () => {
  const { saturation } = await sweep(
    {
      ...{ source: 'described', currency: 'USD', profile: null, local: null, coordinator },
      job: { ...job, batch: 65_536, samples: 655_360 },
      workers: [{ machine: worker(), count: 4, failuresPerHour: 0, awaySeconds: 0 }],
    },
    { stopwatch, onSize: () => undefined, signal: new AbortController().signal },
  );
  expect(saturation).toBeNull();
});
