import { describe, expect } from 'vitest';
import { test } from './support/place.js';

/** Ends only if somebody or something stops it. Ten steps an epoch. */
const ENDLESS = ['--epochs', '10000', '--batch', '100', '--validation', '8000'];
/** A rate that does not depend on how long the run was meant to be. */
const RATE = ['--schedule', 'constant', '--warmup', '0', '--lr', '0.01'];

describe.concurrent('dtrain train', () => {
  test('ends by its deadline, with a checkpoint that goes on', async ({ place }) => {
    const args = ['train', ...ENDLESS, ...RATE, '--out', 'run'];
    const first = await place.result([...args, '--deadline', '4s']);
    expect(first).toMatchObject({ outcome: 'stopped', limit: 'deadline' });
    expect(String(first.resume)).toMatch(/^dtrain train --resume \S+run$/);
    const steps = Number(first.steps) + 5;
    const second = await place.result([
      ...['train', '--resume', 'run', '--steps', String(steps), '--override', 'steps'],
    ]);
    expect(second).toMatchObject({ outcome: 'complete', steps });
    expect(second.limit).toBeUndefined();
  });

  test('ends at its target accuracy, and says so', async ({ place }) => {
    const target = ['--target-accuracy', '0.3'];
    const { code, stdout } = await place.run(['train', ...ENDLESS, '--lr', '0.1', ...target]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Test accuracy .+; ended at its target accuracy after \d+ steps/m);
    expect(stdout).toMatch(/^Go on with:\n {2}dtrain train --resume /m);
  });
});
