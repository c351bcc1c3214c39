import { describe, expect } from 'vitest';
import { expectNoTrace } from './support/expectations.js';
import { eventsOf, placed } from './support/events.js';
import { test } from './support/place.js';

/** Ends only if somebody stops it. Ten steps an epoch. */
const ENDLESS = ['--epochs', '10000', '--batch', '100', '--validation', '8000'];
/** One step takes much longer than a signal. */
const LONG_STEPS = ['--epochs', '10000', '--batch', '9000'];

describe.concurrent('dtrain train', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal}: finishes the step, saves the model and says where`, async ({ place }) => {
      const running = place.start(['train', ...ENDLESS, '--out', 'run']);
      await running.line(/^epoch 1\//);
      expect(running.signal(signal)).toBe(true);
      const { code, stdout, stderr } = await running.ended;
      expect(code).toBe(0);
      expectNoTrace(stderr);
      expect(stdout).toMatch(/after this step.*Ctrl-C/i);
      expect(stdout).toContain(`Saved in ${place.at('run')}`);
      const [, accuracy = '?'] = /Test accuracy (\S+) %/.exec(stdout) ?? [];
      const evaluated = await place.run(['eval', 'run']);
      expect(evaluated.code).toBe(0);
      expect(evaluated.stdout).toContain(`accuracy ${accuracy} %`);
    });
  }

  test('the result of a stopped run says so, and its weights are those of as many steps', async ({
    place,
  }) => {
    // A rate that does not depend on how long the run was meant to be.
    const rate = ['--schedule', 'constant', '--warmup', '0', '--lr', '0.01'];
    const running = place.start(['train', ...ENDLESS, ...rate, '--json']);
    await running.event('epoch');
    running.signal('SIGINT');
    const result = await running.event('result');
    expect(result.outcome).toBe('stopped');
    expect((await running.ended).code).toBe(0);
    const steps = Number(result.steps);
    expect(steps).toBeGreaterThanOrEqual(10);
    expect(result.samples).toBe(steps * 100);
    const again = await place.result(['train', ...ENDLESS, ...rate, '--steps', String(steps)]);
    expect(again.weightsSha256).toBe(result.weightsSha256);
  });

  test('a second SIGINT stops at once, with 130', async ({ place }) => {
    const running = place.start(['train', ...LONG_STEPS, '--json', '--out', 'run']);
    await running.event('start');
    running.signal('SIGINT');
    await running.line(/after this step.*Ctrl-C/i, 'stderr');
    running.signal('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    expect(placed(eventsOf(ended), 'result')).toHaveLength(0);
    expectNoTrace(ended.stderr);
  });

  test('SIGINT before the first step ends it without a trace', async ({ place }) => {
    const running = place.start(['train', ...ENDLESS, '--out', 'run']);
    await running.line(/^Downloading MNIST/);
    running.signal('SIGINT');
    const { code, stdout, stderr } = await running.ended;
    expect(code).not.toBeNull();
    expectNoTrace(stdout + stderr);
  });
});

describe.concurrent('dtrain coordinator', () => {
  test('SIGTERM: saves the model, and its workers end, or wait until they are told to leave', async ({
    place,
  }) => {
    const flags = ['--threads', '0', '--workers', '2', '--out', 'run'];
    const { running, url } = await place.coordinator([...ENDLESS, ...flags]);
    const hasty = place.worker(url, ['--patience', '0s']);
    const patient = place.worker(url);
    await running.event('epoch');
    running.signal('SIGTERM');
    const ended = await running.ended;
    expect(ended.code).toBe(0);
    expect(eventsOf(ended).at(-1)).toMatchObject({ event: 'result', outcome: 'stopped' });
    expect(await hasty.ended).toMatchObject({ code: 0, stderr: '' });
    await hasty.line(/^The run was stopped\.$/);
    await patient.line(/^The run was stopped; waiting 10 min for it to go on\.$/);
    patient.signal('SIGTERM');
    await patient.line(/^Left the run\.$/);
    expect(await patient.ended).toMatchObject({ code: 0, stderr: '' });
    expect((await place.run(['eval', 'run'])).code).toBe(0);
  });

  test('SIGINT while it waits for workers ends it', async ({ place }) => {
    const { running } = await place.coordinator([...ENDLESS, '--threads', '0', '--workers', '2']);
    await running.line(/^Waiting for workers: 0 of 2/, 'stderr');
    running.signal('SIGINT');
    expect((await running.ended).code).toBe(0);
  });

  test('SIGINT after its last worker went ends it', async ({ place }) => {
    const { running, url } = await place.coordinator([...ENDLESS, '--threads', '0']);
    const worker = place.worker(url);
    await running.event('epoch');
    worker.signal('SIGKILL');
    await running.line(/goes on when a worker joins/, 'stderr');
    running.signal('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(0);
    expect(eventsOf(ended).at(-1)).toMatchObject({ event: 'result', outcome: 'stopped' });
  });

  test('a second SIGINT stops at once, with 130; its workers lose the connection', async ({
    place,
  }) => {
    const { running, url } = await place.coordinator([...LONG_STEPS, '--threads', '0']);
    const worker = place.worker(url, ['--patience', '1s']);
    await worker.line(/^Joined /);
    running.signal('SIGINT');
    await running.line(/after this step.*Ctrl-C/i, 'stderr');
    running.signal('SIGINT');
    expect((await running.ended).code).toBe(130);
    await worker.line(/connection .* was lost/);
    expect((await worker.ended).code).toBe(1);
  });
});

describe.concurrent('dtrain worker', () => {
  test('SIGINT: leaves; the run goes on without it', async ({ place }) => {
    const flags = ['--epochs', '3', '--batch', '500', '--validation', '6000', '--workers', '1'];
    const { running, url } = await place.coordinator([...flags, '--threads', '1']);
    const worker = place.worker(url, ['--name', 'guest']);
    await running.event('epoch', ({ epoch }) => epoch === 1);
    worker.signal('SIGINT');
    const { code, stdout, stderr } = await worker.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/Left the run\.$/m);
    expect(stderr).toBe('');
    const ended = await running.ended;
    expect(ended.code).toBe(0);
    const events = eventsOf(ended);
    const [joined, left] = placed(events, 'worker');
    expect(joined?.event).toMatchObject({ action: 'joined', name: 'guest', workers: 1 });
    expect(left?.event).toMatchObject({ action: 'left', name: 'guest', workers: 0 });
    expect(left?.event.reason).toMatch(/left/);
    expect(placed(events, 'epoch').at(-1)?.at).toBeGreaterThan(left?.at ?? Infinity);
    expect(events.at(-1)).toMatchObject({ event: 'result', steps: 18, workers: 1 });
  });

  test('SIGINT while it waits for a coordinator ends it at once, with 0', async ({ place }) => {
    const worker = place.worker('ws://127.0.0.1:1');
    await worker.line(/^Waiting for a coordinator/);
    worker.signal('SIGINT');
    expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
  });
});
