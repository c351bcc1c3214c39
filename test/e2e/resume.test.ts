import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { expectAsIfUndisturbed } from './support/control.js';
import { eventsOf } from './support/events.js';
import { checkpointName } from './support/gate.js';
import { checkpointsOf, killedRun, RUN } from './support/killed-run.js';
import { type Place, test } from './support/place.js';
import type { JsonEvent } from './support/running.js';

/** Turns one bit in the middle of a checkpoint. */
async function damage(place: Place, step: number): Promise<void> {
  const file = place.at('run/checkpoints', checkpointName(step));
  const bytes = await readFile(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

/** The lines of metrics.jsonl without times, which are never the same twice. */
async function metrics(folder: string): Promise<JsonEvent[]> {
  const text = await readFile(path.join(folder, 'metrics.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const event = JSON.parse(line) as JsonEvent;
      const timeless = { ...event, seconds: 0, samplesPerSecond: 0 };
      return 'cost' in event ? { ...timeless, cost: null } : timeless;
    });
}

/** Resumes `run` to its end. */
async function resume(
  place: Place,
  args: readonly string[] = [],
): Promise<{ start: JsonEvent; result: JsonEvent; stderr: string }> {
  const running = place.start(['train', '--resume', 'run', '--json', ...args]);
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(0);
  const events = eventsOf(ended);
  return { start: events[0] ?? {}, result: events.at(-1) ?? {}, stderr: ended.stderr };
}

describe.concurrent('a resumed run', () => {
  test('has the metrics of an undisturbed one, each line once', async ({ place }) => {
    const [step] = (await killedRun(place)).slice(-1);
    await appendFile(place.at('run/metrics.jsonl'), '{"event":"step","step":5,"lo');
    const { start, result } = await resume(place, ['--threads', '2']);
    expect(start).toMatchObject({ resumedStep: step, run: 'run', runDir: place.at('run') });
    await expectAsIfUndisturbed(result, RUN);
    await place.result(['train', ...RUN, '--out', 'control']);
    expect(await metrics(place.at('run'))).toEqual(await metrics(place.at('control')));
  });

  test('leaves three checkpoints and what any run leaves', async ({ place }) => {
    await killedRun(place, 4);
    await resume(place);
    const steps = await checkpointsOf(place.at('run'));
    expect(steps).toHaveLength(3);
    expect(steps.at(-1)).toBe(27);
    expect(await readdir(place.at('run/checkpoints'))).toEqual(steps.map(checkpointName));
    await place.result(['train', '--steps', '2', '--out', 'another']);
    expect(await readdir(place.at('run'))).toEqual(await readdir(place.at('another')));
  });

  test('is found by its name in runs/, also by a variable', async ({ place }) => {
    const flags = [...RUN, '--checkpoint-every', '4', '--name', 'mine', '--json'];
    const running = place.start(['train', ...flags]);
    await running.event('checkpoint');
    running.signal('SIGTERM');
    expect(await running.event('result')).toMatchObject({ outcome: 'stopped' });
    expect((await running.ended).code).toBe(0);
    const env = { DTRAIN_RESUME: 'mine' };
    const result = await place.result(['train'], { env });
    expect(result.runDir).toBe(place.at('runs/mine'));
    await expectAsIfUndisturbed(result, RUN);
  });
});

describe.concurrent('a damaged checkpoint is named, and the one before it is used:', () => {
  test('the newest, of which one bit is another', async ({ place }) => {
    const steps = await killedRun(place, 3);
    const [before = 0, newest = 0] = steps.slice(-2);
    await damage(place, newest);
    const { start, result, stderr } = await resume(place);
    expect(start.resumedStep).toBe(before);
    expect(stderr).toContain(
      `${place.at('run/checkpoints', checkpointName(newest))} is damaged: its checksum does not match; the checkpoint before it is used.`,
    );
    await expectAsIfUndisturbed(result, RUN);
  });

  test('the two newest, one cut short and one empty', async ({ place }) => {
    const steps = await killedRun(place, 3);
    const [oldest = 0, second = 0, newest = 0] = steps.slice(-3);
    await truncate(place.at('run/checkpoints', checkpointName(second)), 100_000);
    await truncate(place.at('run/checkpoints', checkpointName(newest)), 0);
    const { start, result, stderr } = await resume(place);
    expect(start.resumedStep).toBe(oldest);
    expect(stderr.match(/is damaged: .*the checkpoint before it is used\.$/gm)).toHaveLength(2);
    await expectAsIfUndisturbed(result, RUN);
  });
});

describe.concurrent('another fleet takes over', () => {
  test('one machine, then workers alone, then one machine again', async ({ place }) => {
    const run = ['--batch', '256', '--epochs', '3', '--seed', '72'];
    const flags = [...run, '--checkpoint-every', '10', '--out', 'run', '--json', '--threads', '2'];
    const first = place.start(['train', ...flags]);
    await first.event('checkpoint');
    first.signal('SIGTERM');
    const { steps: one } = await first.event('result');
    expect(await first.event('checkpoint', ({ step }) => step === one)).toBeDefined();
    expect((await first.ended).code).toBe(0);

    const fleet = ['--threads', '0', '--port', '0', '--workers', '2'];
    const second = await place.resumed(fleet);
    expect(await second.running.event('start')).toMatchObject({ resumedStep: one, threads: 0 });
    const proxy = await place.proxy(second.url);
    const held = proxy.hold('pieces', Number(one) + 10);
    const workers = [place.worker(proxy.url), place.worker(second.url)];
    await second.running.line(/^Waiting for workers: 1 of 2 are here\.$/, 'stderr');
    (await held).release();
    second.running.signal('SIGTERM');
    const { steps: two, outcome } = await second.running.event('result');
    expect(outcome).toBe('stopped');
    expect(Number(two)).toBeGreaterThan(Number(one) + 9);
    expect((await second.running.ended).code).toBe(0);
    for (const worker of workers) {
      await worker.line(/^The run was stopped; waiting 10 min for it to go on\.$/);
      worker.signal('SIGTERM');
      expect((await worker.ended).code).toBe(0);
    }

    const { start, result } = await resume(place, ['--threads', '1']);
    expect(start.resumedStep).toBe(two);
    await expectAsIfUndisturbed(result, run);
  });
});
