/**
 * `npm run bench:engine`: how fast each engine trains LeNet-5 on one thread and on every core.
 * All are measured in turn, so that a noisy machine favours none; the ratios are the figures.
 */
import { availableParallelism, cpus } from 'node:os';
import { batchOf } from '../dist/src/data/batches.js';
import { copySplit, NO_SAMPLES } from '../dist/src/data/dataset.js';
import { byteTable, MNIST_NORMALISATION } from '../dist/src/data/normalise.js';
import { holdOut } from '../dist/src/data/order.js';
import { type ChosenEngine, chooseEngine } from '../dist/src/engine/choose.js';
import { compileForWasm } from '../dist/src/engine/wasm/compile.js';
import { initialWeights } from '../dist/src/model/initial-weights.js';
import { lenet5 } from '../dist/src/model/lenet5.js';
import { buildModel } from '../dist/src/model/model.js';
import { stepHyperparameters } from '../dist/src/optim/optimizer.js';
import { ThreadPool } from '../dist/src/threads/pool.js';
import { trainingFlops } from './flops.js';
import { showSpread } from './spread.js';

const SAMPLES = 16_384;
const SAMPLE_BYTES = 784;
const BATCH = 64;
const ROUNDS = 9;
const ROUND_SECONDS = 1;
const LEASE = 32;

const model = buildModel(lenet5);
const compiled = await compileForWasm(model, 'momentum');
const cores = availableParallelism();

function startPool(engine: ChosenEngine, threads: number): ThreadPool {
  const images = Uint8Array.from(
    { length: SAMPLES * SAMPLE_BYTES },
    (_, index) => (index * 2_654_435_761) >>> 24,
  );
  const labels = Uint8Array.from({ length: SAMPLES }, (_, index) => index % 10);
  const pool = new ThreadPool({
    threads,
    cores,
    module: compiled.module,
    program: compiled.program,
    engine,
    parameterCount: model.parameterCount,
    stateSlots: 1,
    seed: 1,
    batch: BATCH,
    training: { count: SAMPLES, sampleBytes: SAMPLE_BYTES },
    trainingCount: SAMPLES,
    validationCount: 0,
    test: NO_SAMPLES,
    table: byteTable(MNIST_NORMALISATION),
  });
  copySplit({ count: SAMPLES, images, labels }, pool.training);
  pool.setLists(holdOut({ seed: 1, samples: SAMPLES, validation: 0 }));
  pool.weights.set(initialWeights(model, 1));
  return pool;
}

/** Samples a second over one round of whole steps. */
async function measure(pool: ThreadPool, seconds: number): Promise<number> {
  const since = performance.now();
  let samples = 0;
  while (performance.now() - since < seconds * 1000) {
    const hyper = Array.from({ length: LEASE }, () =>
      stepHyperparameters({ momentum: 0.9, weightDecay: 0 }, 1e-4, BATCH, 0),
    );
    for (const { step } of await pool.lease(0, hyper)) {
      samples += batchOf({ samples: SAMPLES, batch: BATCH }, step).samples;
    }
  }
  return (samples * 1000) / (performance.now() - since);
}

const wasm = { module: compiled.module, workSize: compiled.program.workSize };
const auto = await chooseEngine('auto', model, 'momentum', wasm, 1);
const engines: ChosenEngine[] = auto.library
  ? [{ name: 'wasm', arithmetic: 'exact' }, auto]
  : [auto];
const measured = engines.map((engine) => ({
  engine,
  pools: [startPool(engine, 1), startPool(engine, cores)] as const,
  one: [] as number[],
  all: [] as number[],
}));
for (let round = -1; round < ROUNDS; round++) {
  for (const { pools, one, all } of measured) {
    const speeds = [await measure(pools[0], ROUND_SECONDS), await measure(pools[1], ROUND_SECONDS)];
    // The first round warms up.
    if (round < 0) continue;
    one.push(speeds[0] ?? NaN);
    all.push(speeds[1] ?? NaN);
  }
}
await Promise.all(measured.flatMap(({ pools }) => pools.map((pool) => pool.close())));

const flops = trainingFlops(model);
const ratio = (over: readonly number[], under: readonly number[], divisor = 1): string =>
  showSpread(
    over.map((value, round) => value / (under[round] ?? NaN) / divisor),
    3,
  );
console.log(
  `LeNet-5, global batch ${BATCH}, ${cpus()[0]?.model ?? '?'}, ${cores} cores, Node ${process.version}`,
);
console.log(`median (least to most) of ${ROUNDS} rounds of ${ROUND_SECONDS} s each, in turn`);
for (const { engine, one, all } of measured) {
  const { name, note } = engine;
  console.log(`\n${name}${note === undefined ? '' : ` (${note})`}`);
  console.log(`  1 thread   samples/s  ${showSpread(one)}`);
  console.log(`  1 thread   GFLOP/s    ${showSpread(one.map((speed) => (speed * flops) / 1e9))}`);
  console.log(`  ${cores} threads  samples/s  ${showSpread(all)}`);
  console.log(`  efficiency on ${cores}     ${ratio(all, one, cores)}`);
}
const [slow, fast] = measured;
if (slow && fast) console.log(`\nnative / wasm on 1 thread  ${ratio(fast.one, slow.one)}`);
