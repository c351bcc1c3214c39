import { expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { eventsOf } from './support/events.js';
import { test } from './support/place.js';

/** Diverges within a few steps. */
const DIVERGING = ['--optimizer', 'sgd', '--lr', '100', '--warmup', '0', '--steps', '60'];

test('a loss that is not finite: the step, and advice', async ({ place }) => {
  const ended = await place.run(['train', ...DIVERGING, '--json']);
  expectError(ended, 1, /not? .*finite .*step \d+.*lower --lr/);
  expect(eventsOf(ended).map(({ event }) => event)).not.toContain('result');
});

test('a loss that is not finite: the same step on a fleet, whose workers are told', async ({
  place,
}) => {
  const alone = await place.run(['train', ...DIVERGING]);
  const { running, url } = await place.coordinator([
    ...[...DIVERGING, '--threads', '1', '--workers', '2'],
  ]);
  const workers = [place.worker(url), place.worker(url)];
  const ended = await running.ended;
  expectError(ended, 1, /finite/);
  const stepIn = (text: string): string =>
    /step (\d+)/.exec(/^error: .*$/m.exec(text)?.[0] ?? '')?.[1] ?? '?';
  expect(stepIn(ended.stderr)).toBe(stepIn(alone.stderr));
  for (const worker of workers) {
    const { code, stdout, stderr } = await worker.ended;
    expect(stdout + stderr).toMatch(/^(error: )?The run failed/m);
    expect(code).toBe(1);
  }
});
