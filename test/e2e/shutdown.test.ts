import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { control, expectAsIfUndisturbed } from './support/control.js';
import { expectError } from './support/expectations.js';
import { eventsOf, placed } from './support/events.js';
import { entry, type Place, test } from './support/place.js';
import type { JsonEvent, Running } from './support/running.js';

/** The weights after a step do not depend on how many there are to be. */
const RATE = ['--schedule', 'constant', '--warmup', '0', '--lr', '0.01'];
/** Ends only if somebody stops it. Ten steps an epoch. */
const ENDLESS = ['--epochs', '10000', '--batch', '100', '--validation', '8000', ...RATE];
const RUN = ['--batch', '500', '--epochs', '4', '--seed', '81'];

/** The run stopped with a checkpoint of its last step, and says what goes on with it. */
async function expectStopped(running: Running, command: string): Promise<JsonEvent> {
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(0);
  const events = eventsOf(ended);
  const result = events.at(-1) ?? {};
  expect(result).toMatchObject({ event: 'result', outcome: 'stopped' });
  expect(result.resume).toBe(`dtrain ${command} --resume ${String(result.runDir)}`);
  expect(placed(events, 'checkpoint').at(-1)?.event.step).toBe(result.steps);
  return result;
}

/** The weights of as many steps of an endless run. */
async function weightsAfter(steps: unknown, flags: readonly string[] = ENDLESS): Promise<unknown> {
  return (await control([...flags, '--steps', String(steps)])).weightsSha256;
}

describe.concurrent('SIGTERM', () => {
  test('ends a training with a checkpoint, and a line that a shell goes on with', async ({
    place,
  }) => {
    const folder = place.at("it's a run");
    const flags = [...RUN, '--checkpoint-every', '4', '--out', folder];
    const running = place.start(['train', ...flags]);
    await running.line(/^epoch 1\//);
    expect(running.signal('SIGTERM')).toBe(true);
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/stopped after \d+ steps/);
    const [, line = ''] = /^Go on with:\n {2}(dtrain .*)$/m.exec(stdout) ?? [];
    await mkdir(place.at('bin'));
    await writeFile(
      place.at('bin/dtrain'),
      `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`,
    );
    await chmod(place.at('bin/dtrain'), 0o755);
    const env = { PATH: `${place.at('bin')}:${process.env.PATH ?? ''}` };
    const again = place.spawn('/bin/sh', ['-c', `exec ${line} --json`], { env, cwd: '/' });
    await expectAsIfUndisturbed(await again.event('result'), RUN);
    expect((await again.ended).code).toBe(0);
  });

  test('ends a coordinator; its workers wait, and go on with the one that resumes it', async ({
    place,
  }) => {
    const fleet = ['--threads', '0', '--out', 'run', '--checkpoint-every', '1h'];
    const { running, url } = await place.coordinator([...RUN, ...fleet]);
    const proxy = await place.proxy(url);
    const caught = proxy.hold('pieces', 12);
    const worker = place.worker(proxy.url);
    const held = await caught;
    running.signal('SIGTERM');
    await running.line(/^Stopping after this step/, 'stderr');
    held.release();
    const stopped = await expectStopped(running, 'coordinator');
    expect(stopped.steps).toBe(13);
    await worker.line(/^The run was stopped; waiting 10 min for it to go on\.$/);
    const resumed = await place.resumed();
    expect(resumed.url, 'where it was before').toBe(url);
    await expectAsIfUndisturbed(await resumed.running.event('result'), RUN);
    const { code, stdout } = await worker.ended;
    expect(code).toBe(0);
    expect(stdout.match(/^Joined /gm)).toHaveLength(2);
    expect(stdout.match(/^Fetched /gm), 'the data came once').toHaveLength(1);
  });

  test('again: a waiting worker ends when its patience is over, as told', async ({ place }) => {
    const { running, url } = await place.coordinator([...ENDLESS, '--threads', '0']);
    const worker = place.worker(url, ['--patience', '1s']);
    await running.event('epoch');
    running.signal('SIGTERM');
    await expectStopped(running, 'coordinator');
    const { code, stdout } = await worker.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/waiting 1 s for it to go on\.\nThe run was stopped\.\n$/);
  });

  test('with a disk that takes no checkpoint: an error, and the one before stays', async ({
    place,
  }) => {
    const flags = [...ENDLESS, '--out', 'run', '--json', '--checkpoint-every', '5'];
    const running = place.start(['train', ...flags]);
    await running.event('checkpoint');
    await rename(place.at('run/checkpoints'), place.at('checkpoints'));
    await writeFile(place.at('run/checkpoints'), 'in the way');
    await running.line(
      /^Checkpoint of step \d+ could not be written: .*the run goes on\.$/,
      'stderr',
    );
    running.signal('SIGTERM');
    expectError(await running.ended, 1, /stopped after step \d+, and its checkpoint could not be/);
    await rm(place.at('run/checkpoints'));
    await rename(place.at('checkpoints'), place.at('run/checkpoints'));
    const resumed = place.start(['train', '--resume', 'run', '--json']);
    await resumed.event('checkpoint');
    resumed.signal('SIGTERM');
    const { steps, weightsSha256 } = await expectStopped(resumed, 'train');
    expect(weightsSha256).toBe(await weightsAfter(steps));
  });
});

test('a disk that takes checkpoints again is told of, and the run was not disturbed', async ({
  place,
}) => {
  const flags = [...ENDLESS, '--out', 'run', '--json', '--checkpoint-every', '5'];
  const running = place.start(['train', ...flags]);
  await running.event('checkpoint');
  await rename(place.at('run/checkpoints'), place.at('checkpoints'));
  await writeFile(place.at('run/checkpoints'), 'in the way');
  await running.line(/^Checkpoint of step \d+ could not be written/, 'stderr');
  await rm(place.at('run/checkpoints'));
  await running.line(/^Checkpoints are written again, the latest of step \d+\.$/, 'stderr');
  running.signal('SIGTERM');
  const { steps, weightsSha256 } = await expectStopped(running, 'train');
  expect(weightsSha256).toBe(await weightsAfter(steps));
});

describe.concurrent('SIGUSR1', () => {
  /** Asks for a checkpoint, kills the process when it is there, and goes on from it. */
  async function saveAndKill(place: Place, running: Running): Promise<void> {
    expect(running.signal('SIGUSR1')).toBe(true);
    const line = await running.line(/^The checkpoint of step \d+ is saved in .*\/run\.$/, 'stderr');
    const step = Number(/\d+/.exec(line)?.[0]);
    expect(running.signal('SIGKILL'), 'it went on').toBe(true);
    const ended = await running.ended;
    expect(ended.signal).toBe('SIGKILL');
    expect(placed(eventsOf(ended), 'checkpoint').map(({ event }) => event.step)).toEqual([step]);
    const resumed = place.start(['train', '--resume', 'run', '--json']);
    expect(await resumed.event('start')).toMatchObject({ resumedStep: step });
    resumed.signal('SIGTERM');
    const { steps, weightsSha256 } = await expectStopped(resumed, 'train');
    expect(weightsSha256).toBe(await weightsAfter(steps, LONG_EPOCHS));
  }
  const LONG_EPOCHS = ['--batch', '1', '--epochs', '1000', ...RATE];
  /** No checkpoint is due by itself for long enough. */
  const flags = [...LONG_EPOCHS, '--checkpoint-every', '1h', '--out', 'run'];

  test('saves a training, which goes on', async ({ place }) => {
    const running = place.start(['train', ...flags, '--json', '--threads', '1']);
    await running.event('start');
    await saveAndKill(place, running);
  });

  test('saves a coordinator that waits in the middle of a step', async ({ place }) => {
    const { running, url } = await place.coordinator([...flags, '--threads', '0']);
    const proxy = await place.proxy(url);
    const caught = proxy.hold('pieces', 7);
    const worker = place.worker(proxy.url);
    await caught;
    expect(worker.signal('SIGKILL')).toBe(true);
    expect(proxy.cut()).toBeGreaterThan(0);
    await running.line(/goes on when a worker joins/, 'stderr');
    await saveAndKill(place, running);
  });
});
