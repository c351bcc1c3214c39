import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type CheckpointMeta,
  decodeCheckpoint,
  encodeCheckpoint,
} from '../../coordinator/checkpoint/file.js';
import { sha256 } from '../../src/sha256.js';
import { control } from './support/control.js';
import { expectError } from './support/expectations.js';
import { checkpointName } from './support/gate.js';
import { checkpointsOf, killedRun, RUN } from './support/killed-run.js';
import { fullMnist, Place, test, withFullMnist } from './support/place.js';

/** A killed run, which no test changes, and the steps of its checkpoints. */
let origin: Place;
let steps: number[];
beforeAll(async () => {
  origin = await Place.create('killed');
  // More than one epoch.
  steps = await killedRun(origin, 4);
});
afterAll(async () => {
  await origin.close();
});

/** The hash of every file of the killed run. */
async function contents(): Promise<unknown> {
  const names = await readdir(origin.at('run'), { recursive: true });
  const files = names.filter((name) => name !== 'checkpoints');
  return Promise.all(
    files.map(async (name) => [name, sha256(await readFile(origin.at('run', name)))]),
  );
}

/** Changes what the checkpoints of a run say about themselves. */
async function rewrite(
  folder: string,
  change: (meta: CheckpointMeta) => CheckpointMeta,
): Promise<void> {
  for (const step of await checkpointsOf(folder)) {
    const file = path.join(folder, 'checkpoints', checkpointName(step));
    const checkpoint = decodeCheckpoint(await readFile(file), file);
    await writeFile(file, encodeCheckpoint({ ...checkpoint, meta: change(checkpoint.meta) }));
  }
}

const refused: readonly (readonly [line: string, words: RegExp])[] = [
  ['--model lenet5-1998', /--model is lenet5-1998, and the run's is lenet5: leave it out\.$/],
  ['--epochs 4', /--epochs is 4, and the run's is 3: .*--override epochs/],
  ['--steps 10', /--steps is 10, and the run's is .*--override steps/],
  ['--batch 64', /--batch is 64, and the run's is 1000: .*--override batch/],
  ['--optimizer adam', /--optimizer is adam, and the run's is momentum: .*--override optimizer/],
  ['--lr 0.1', /--lr is 0\.1, and the run's is 0\.05: .*--override lr/],
  ['--momentum 0.5', /--momentum is 0\.5, and the run's is 0\.9: .*--override momentum/],
  ['--weight-decay 0.1', /--weight-decay is 0\.1, and the run's is 0: .*--override weightDecay/],
  ['--schedule step', /--schedule is step, and the run's is cosine: .*--override schedule/],
  ['--warmup 1', /--warmup is 1, and the run's is 200: .*--override warmup/],
  [
    '--engine tfjs-node',
    /--engine is tfjs-node, which is approximate, and the run's is wasm, which is exact: .*--override engine/,
  ],
  ['--seed 1', /--seed is 1, and the run's is 71: .*--override seed/],
  ['--validation 9', /--validation is 9, and the run's is 0: .*--override validation/],
  ['--augment rotate=5', /--augment is rotate=5, and the run's is none: .*--override augment/],
  ['--lr 0.1 --seed 1 --override lr', /--seed is 1, and .*--override seed/],
  ['--epochs 1 --override epochs', /has taken \d+ steps already, more than the 9 .*--epochs/],
  ['--out other', /--out cannot be given with --resume/],
  ['--name other', /--name cannot be given with --resume/],
  ['--config other.json', /--config cannot be given with --resume/],
  ['--override data,nonsense', /--override must be a list of .*data/],
];

describe.concurrent('what a resumed run may not change is named, and nothing is changed:', () => {
  test.for(refused)('dtrain train --resume RUN %s', async ([line, words], { place }) => {
    const before = await contents();
    const args = ['train', '--resume', origin.at('run'), ...line.split(' ')];
    expectError(await place.run(args), 2, words);
    expect(await contents()).toEqual(before);
  });

  test('by a variable', async ({ place }) => {
    const env = { DTRAIN_SEED: '1' };
    const ended = await place.run(['train', '--resume', origin.at('run')], { env });
    expectError(ended, 2, /DTRAIN_SEED is 1, and the run's is 71: .*--override seed/);
  });

  test('nor may a coordinator', async ({ place }) => {
    const ended = await place.run(['coordinator', '--resume', origin.at('run'), '--seed', '1']);
    expectError(ended, 2, /--seed is 1, and the run's is 71: .*--override seed/);
  });

  test('data that is other than the run trained on', async ({ place }) => {
    await cp(origin.at('run'), place.at('run'), { recursive: true });
    const other = { name: 'mnist', sha256: '0'.repeat(64) };
    await rewrite(place.at('run'), (meta) => ({ ...meta, dataset: other }));
    const ended = await place.run(['train', '--resume', 'run']);
    expectError(ended, 2, /The data is mnist-10k from .*not the mnist that .*--override data/);
    const result = await place.result(['train', '--resume', 'run', '--override', 'data']);
    expect(result.weightsSha256).toBe((await control(RUN)).weightsSha256);
  });

  test.skipIf(fullMnist === undefined)(
    withFullMnist('other data by --data-dir'),
    async ({ place }) => {
      await cp(origin.at('run'), place.at('run'), { recursive: true });
      const args = ['train', '--resume', 'run', '--data-dir', fullMnist ?? ''];
      expectError(await place.run(args), 2, /The data is mnist from .*not the mnist-10k that /);
      const result = await place.result([...args, '--override', 'data']);
      expect(result).toMatchObject({ dataset: 'mnist', steps: 180 });
    },
  );
});

describe.concurrent('--override allows what it names:', () => {
  const allowed: readonly (readonly [line: string, steps: number, notice: RegExp])[] = [
    ['--override lr --lr 0.01', 27, /^resumed after/m],
    ['--override epochs,seed --epochs 4 --seed 9', 36, /^resumed after/m],
    ['--override optimizer --optimizer adam', 27, /optimizer is another .*without a memory/],
    ['--override batch --batch 500', 54, /^resumed after/m],
    ['--override steps --steps 26', 26, /^resumed after/m],
  ];
  test.for(allowed)('%s', async ([line, inAll, notice], { place }) => {
    await cp(origin.at('run'), place.at('run'), { recursive: true });
    const running = place.start(['train', '--resume', 'run', '--json', ...line.split(' ')]);
    const result = await running.event('result');
    expect(result).toMatchObject({ outcome: 'complete', steps: inAll });
    expect(result.weightsSha256).not.toBe((await control(RUN)).weightsSha256);
    const { code, stderr } = await running.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(notice);
  });
});

describe.concurrent('there is nothing to resume:', () => {
  test('no such run, and a file', async ({ place }) => {
    await writeFile(place.at('file'), '');
    for (const run of ['nowhere', 'file']) {
      const ended = await place.run(['train', '--resume', run]);
      expectError(ended, 2, new RegExp(`There is no run ${run}: .*--resume`));
    }
  });

  test('a folder without a checkpoint', async ({ place }) => {
    await mkdir(place.at('run'));
    const ended = await place.run(['coordinator', '--resume', 'run']);
    expectError(ended, 1, /There is no checkpoint in .*\/run, .*start it anew/);
    expect(await readdir(place.at('run'))).toEqual([]);
  });

  test('only checkpoints that are damaged', async ({ place }) => {
    await cp(origin.at('run'), place.at('run'), { recursive: true });
    for (const step of steps) {
      await writeFile(place.at('run/checkpoints', checkpointName(step)), 'dtrainck');
    }
    const ended = await place.run(['train', '--resume', 'run']);
    const oldest = checkpointName(Math.min(...steps));
    expectError(ended, 1, new RegExp(`${oldest} is damaged: .*no checkpoint before it.*anew`));
  });

  test('--override without --resume', async ({ place }) => {
    expectError(await place.run(['train', '--override', 'lr']), 2, /--override goes with --resume/);
  });
});

test('a run that another process is at work on is left alone', async ({ place }) => {
  const endless = ['--batch', '1000', '--epochs', '10000', '--checkpoint-every', '4'];
  const running = place.start(['train', ...endless, '--out', 'run', '--json', '--threads', '1']);
  await running.event('checkpoint');
  for (const command of ['train', 'coordinator']) {
    const ended = await place.run([command, '--resume', 'run']);
    expectError(ended, 1, new RegExp(`Process ${running.pid} .* is at work on the run in .*run`));
  }
  running.signal('SIGTERM');
  const { steps: taken } = await running.event('result');
  expect((await running.ended).code).toBe(0);
  const metrics = await readFile(place.at('run/metrics.jsonl'), 'utf8');
  const recorded = metrics.match(/"event":"step"/g)?.length;
  expect(recorded, 'a line for every tenth step').toBe(Math.ceil(Number(taken) / 10));
});
