import { existsSync, rmSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { expectAsIfUndisturbed } from './support/control.js';
import { expectError } from './support/expectations.js';
import { appeared } from './support/files.js';
import { Gate, makePipe } from './support/gate.js';
import { type Place, test } from './support/place.js';
import type { Running } from './support/running.js';

const EPOCH = 9;
const RUN = ['--batch', '1000', '--epochs', '3', '--seed', '41'];
const SAVED = [...RUN, '--checkpoint-every', '4', '--out', 'run', '--threads', '1'];

async function kill(running: Running): Promise<void> {
  expect(running.signal('SIGKILL'), 'it still ran').toBe(true);
  expect((await running.ended).signal).toBe('SIGKILL');
}

/** Kills a training when it has a checkpoint; the steps of its newest checkpoint. */
async function killedAfterCheckpoint(place: Place): Promise<number> {
  const running = place.start(['train', ...SAVED, '--json']);
  await running.event('checkpoint');
  await kill(running);
  const names = (await readdir(place.at('run/checkpoints'))).filter((name) =>
    name.startsWith('step'),
  );
  return Number(/\d+/.exec(names.toSorted().at(-1) ?? '')?.[0]);
}

/** Resumes the run to its end, on another number of threads. */
async function expectSuccess(place: Place, step: number): Promise<void> {
  const running = place.start(['train', '--resume', 'run', '--threads', '2', '--json']);
  expect(await running.event('start')).toMatchObject({ resumedStep: step, threads: 2 });
  await expectAsIfUndisturbed(await running.event('result'), RUN);
  expect((await running.ended).code).toBe(0);
}

describe.concurrent('a training on one machine is killed and resumed', () => {
  test('before its first checkpoint: it says that the run must start anew', async ({ place }) => {
    const running = place.start(['train', ...RUN, '--out', 'run', '--json']);
    await running.event('start');
    await kill(running);
    expect(existsSync(place.at('run/checkpoints'))).toBe(false);
    const resumed = await place.run(['train', '--resume', 'run']);
    expectError(resumed, 1, /no checkpoint in .*\/run.*start it anew/);
    const result = await place.result(['train', ...RUN, '--out', 'another']);
    await expectAsIfUndisturbed(result, RUN);
  });

  test('in a step', async ({ place }) => {
    const long = ['--batch', '4500', '--epochs', '2', '--seed', '42'];
    const flags = [...long, '--checkpoint-every', '1', '--out', 'run', '--threads', '1'];
    const running = place.start(['train', ...flags, '--json']);
    // A step takes much longer than it takes to write a checkpoint, and than a signal.
    await running.event('checkpoint', ({ step }) => step === 1);
    await kill(running);
    const resumed = place.start(['train', '--resume', 'run', '--json']);
    expect(await resumed.event('start')).toMatchObject({ resumedStep: 1 });
    await expectAsIfUndisturbed(await resumed.event('result'), long);
  });

  test('while it writes a checkpoint, that of an epoch', async ({ place }) => {
    const step = await killedAfterCheckpoint(place);
    const epoch = Math.floor(step / EPOCH) + 1;
    const resume = ['train', '--resume', 'run', '--checkpoint-every', '1h', '--json'];
    const { gate, running } = await Gate.atCheckpoint(place, epoch * EPOCH, resume);
    await gate.reached;
    await running.event('epoch', (event) => event.epoch === epoch);
    await kill(running);
    gate.leave();
    await expectSuccess(place, step);
    expect(existsSync(gate.file), 'what was left of it is gone').toBe(false);
  });

  test('while it resumes', async ({ place }) => {
    const step = await killedAfterCheckpoint(place);
    const second = place.start(['train', '--resume', 'run', '--json', '--checkpoint-every', '1h']);
    expect(await second.event('start')).toMatchObject({ resumedStep: step });
    await kill(second);
    await expectSuccess(place, step);
  });

  test('while it writes the model', async ({ place }) => {
    const gate = await Gate.at(place.at('run/weights.bin.part'));
    const running = place.start(['train', ...SAVED, '--json']);
    await gate.reached;
    await kill(running);
    gate.leave();
    await expectSuccess(place, 27);
  });

  test('before it writes its summary', async ({ place }) => {
    const summary = place.at('run/summary.json.part');
    await mkdir(place.at('run'));
    makePipe(summary);
    const running = place.start(['train', ...SAVED, '--json']);
    await appeared(place.at('run/model.safetensors'));
    await kill(running);
    expect(existsSync(place.at('run/summary.json'))).toBe(false);
    rmSync(summary);
    await expectSuccess(place, 27);
  });

  test('after it was complete: it is complete again', async ({ place }) => {
    const first = await place.result(['train', ...SAVED]);
    const again = await place.result(['train', '--resume', 'run']);
    await expectAsIfUndisturbed(first, RUN);
    await expectAsIfUndisturbed(again, RUN);
  });

  test('at every checkpoint that it writes', async ({ place }) => {
    let running = place.start(['train', ...SAVED, '--json']);
    let taken = 0;
    let kills = 0;
    while (taken < 24) {
      const { step } = await running.event('checkpoint');
      expect(Number(step)).toBeGreaterThan(taken);
      await kill(running);
      kills += 1;
      running = place.start(['train', '--resume', 'run', '--json', '--threads', '1']);
      taken = Number((await running.event('start')).resumedStep);
      expect(taken).toBeGreaterThanOrEqual(Number(step));
    }
    expect(kills).toBeGreaterThan(2);
    await expectAsIfUndisturbed(await running.event('result'), RUN);
  });
});
