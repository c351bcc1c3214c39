/**
 * LeNet-5, forward and backward, on TensorFlow.js's own autodiff: samples/s of the engine `tfjs` on
 * WebAssembly, of TensorFlow.js's plain CPU backend, and of tfjs-node where that is installed. One
 * core, in turn, one process each, since TensorFlow.js has one backend at a time.
 * Usage: npm run bench:tfjs [-- BATCH]
 */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { layersSpecOf } from '../dist/src/engine/tfjs/spec.js';
import { LayersEngine } from '../dist/src/engine/tfjs/layers-engine.js';
import { loadOnNode, loadTensorFlow, type TensorFlow } from '../dist/src/engine/tfjs/libraries.js';
import { findTfjsNode } from '../dist/src/engine/tfjs-node/find.js';
import { initialWeights } from '../dist/src/model/initial-weights.js';
import { lenet5 } from '../dist/src/model/lenet5.js';
import { buildModel } from '../dist/src/model/model.js';
import { showSpread } from './spread.js';

const ROUNDS = 5;
const WARM_UP_SECONDS = 2;
const SECONDS = 2;
const backends = ['wasm', 'cpu', 'tfjs-node'] as const;
type Backend = (typeof backends)[number];

async function tensorFlowOn(backend: Backend): Promise<TensorFlow> {
  if (backend === 'tfjs-node') return loadOnNode(findTfjsNode().folder);
  const tensorFlow = await loadTensorFlow();
  if (backend === 'cpu') {
    await import('@tensorflow/tfjs-backend-cpu');
    await tensorFlow.core.setBackend('cpu');
  }
  return tensorFlow;
}

/** Samples for each second of the processor's time, so that other processes do not count. */
async function speedOf(backend: Backend, batch: number): Promise<number> {
  const model = buildModel(lenet5);
  const { topology, loss } = layersSpecOf(model);
  const engine = await LayersEngine.create(await tensorFlowOn(backend), topology, loss, 1);
  const weights = initialWeights(model, 1);
  const samples = Float32Array.from({ length: batch * engine.sampleSize }, (_, index) => {
    return ((index * 7919) % 251) / 251;
  });
  const labels = Uint8Array.from({ length: batch }, (_, index) => index % 10);
  const run = (seconds: number): number => {
    const since = process.cpuUsage();
    for (let calls = 1; ; calls++) {
      engine.gradients(weights, samples, labels, { seed: 1, step: 0, first: 0 });
      const { user, system } = process.cpuUsage(since);
      const taken = (user + system) / 1e6;
      if (taken >= seconds) return (calls * batch) / taken;
    }
  };
  run(WARM_UP_SECONDS);
  return run(SECONDS);
}

const [asked = '64', only] = process.argv.slice(2);
if (only !== undefined) {
  console.log(await speedOf(only as Backend, Number(asked)));
} else {
  const script = fileURLToPath(import.meta.url);
  const found = new Map<Backend, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const backend of backends) {
      try {
        const args = [...process.execArgv, script, asked, backend];
        const output = execFileSync(process.execPath, args, {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        found.set(backend, [...(found.get(backend) ?? []), Number(output)]);
      } catch {
        if (round === 0) console.log(`${backend}: not installed`);
      }
    }
  }
  const processor = cpus()[0]?.model ?? '?';
  console.log(`LeNet-5, batch ${asked}, one core of ${processor}, Node ${process.version}`);
  console.log(
    `samples for each second of processor time, median (least to most) of ${ROUNDS} processes each, in turn`,
  );
  const wasm = found.get('wasm') ?? [];
  for (const [backend, speeds] of found) {
    const ratio = wasm.map((speed, round) => speed / (speeds[round] ?? NaN));
    console.log(
      `  ${backend.padEnd(9)}  ${showSpread(speeds)}  wasm is ${showSpread(ratio, 2)} times it`,
    );
  }
}
