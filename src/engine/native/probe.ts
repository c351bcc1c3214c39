import type { Model } from '../../model/model.js';
import type { OptimizerName } from '../../optim/optimizer.js';
import { ProbeMemory } from '../probe-memory.js';
import { instantiate, type WasmModule } from '../wasm/instance.js';
import type { NativeLibrary } from './build.js';
import { loadLibrary } from './library.js';

const TIMED_CALLS = 40;

/**
 * Takes a step with the library and the same step with the WebAssembly module.
 * @returns micro-batches a second of the library, or undefined if a single bit differs
 */
export function probe(
  model: Model,
  optimizer: OptimizerName,
  wasm: WasmModule,
  library: NativeLibrary,
): number | undefined {
  const bench = new ProbeMemory(model, optimizer);
  const work = bench.floats(new Float32Array(library.workSize));
  const pairWork = bench.floats(new Float32Array(library.pairWorkSize ?? 0));
  const wasmWork = bench.floats(new Float32Array(wasm.workSize));
  const reference = instantiate(wasm.module, bench.memory);
  const pairs = library.pairWorkSize !== undefined;
  const native = loadLibrary(library.file, pairs, bench.memory);
  const expected = bench.step(reference, wasmWork, undefined);
  const singly = bench.step(native, work, undefined);
  const found = bench.step(native, work, pairs ? pairWork : undefined);
  const same = (bits: Uint32Array): boolean =>
    bits.every((word, index) => word === expected[index]);
  if (!same(singly) || !same(found)) return undefined;
  const since = performance.now();
  for (let call = 0; call < TIMED_CALLS; call++) {
    bench.gradients(native, work, pairs ? pairWork : undefined);
  }
  return (2 * TIMED_CALLS) / ((performance.now() - since) / 1000);
}
