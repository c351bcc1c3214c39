/**
 * `npm run bench:engine`: how fast the engine trains LeNet-5 on one thread and on every core.
 * The two are measured in turn, so that a noisy machine favours neither; the ratio is the figure.
 */
import { availableParallelism, cpus } from 'node:os';
import { batchOf } from '../dist/src/data/batches.js';
import { copySplit, NO_SAMPLES } from '../dist/src/data/dataset.js';
import { byteTable } from '../dist/src/data/normalise.js';
import { holdOut } from '../dist/src/data/order.js';
import { compileForWasm } from '../dist/src/engine/wasm/compile.js';
import { initialWeights } from '../dist/src/model/initial-weights.js';
import { lenet5 } from '../dist/src/model/lenet5.js';
import { buildModel } from '../dist/src/model/model.js';
import { stepHyperparameters } from '../dist/src/optim/optimizer.js';
import { ThreadPool } from '../dist/src/threads/pool.js';
import { trainingFlops } from './flops.js';

const SAMPLES = 16_384;
const BATCH = 64;
const ROUNDS = 9;
const ROUND_SECONDS = 1;
const LEASE = 32;

const model = buildModel(lenet5);
const compiled = await compileForWasm(model, 'momentum');
const cores = availableParallelism();

function startPool(threads: number): ThreadPool {
  const images = Uint8Array.from(
    { length: SAMPLES * 784 },
    (_, index) => (index * 2_654_435_761) >>> 24,
  );
  const labels = Uint8Array.from({ length: SAMPLES }, (_, index) => index % 10);
  const lists = holdOut({ seed: 1, samples: SAMPLES, validation: 0 });
  const pool = new ThreadPool({
    threads,
    cores,
    module: compiled.module,
    program: compiled.program,
    parameterCount: model.parameterCount,
    stateSlots: 1,
    seed: 1,
    batch: BATCH,
    training: { count: SAMPLES, sampleBytes: 784 },
    trainingList: lists.training,
    validationList: lists.validation,
    test: NO_SAMPLES,
    table: byteTable(),
  });
  copySplit({ count: SAMPLES, images, labels }, pool.training);
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

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
  const show = (value: number): string => (value < 10 ? value.toFixed(3) : value.toFixed(0));
  return `${show(at(0.5))} (${show(at(0))} to ${show(at(1))})`;
}

const one = startPool(1);
const all = startPool(cores);
await measure(one, ROUND_SECONDS);
await measure(all, ROUND_SECONDS);
const rounds: { one: number; all: number }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  rounds.push({ one: await measure(one, ROUND_SECONDS), all: await measure(all, ROUND_SECONDS) });
}
await one.close();
await all.close();

const flops = trainingFlops(model);
console.log(
  `LeNet-5, global batch ${BATCH}, ${cpus()[0]?.model ?? '?'}, ${cores} cores, Node ${process.version}`,
);
console.log(`median (least to most) of ${ROUNDS} rounds of ${ROUND_SECONDS} s each, in turn`);
console.log(`1 thread   samples/s  ${spread(rounds.map((round) => round.one))}`);
console.log(`1 thread   GFLOP/s    ${spread(rounds.map((round) => (round.one * flops) / 1e9))}`);
console.log(`${cores} threads  samples/s  ${spread(rounds.map((round) => round.all))}`);
console.log(
  `efficiency on ${cores}   ${spread(rounds.map((round) => round.all / (round.one * cores)))}`,
);
