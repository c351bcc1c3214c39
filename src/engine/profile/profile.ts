import type { ProfileEvent } from '../../events.js';
import type { Model } from '../../model/model.js';
import type { OptimizerName } from '../../optim/optimizer.js';
import type { ChosenEngine } from '../choose.js';
import type { Place } from '../engine.js';
import type { Kernel } from '../ir/types.js';
import { loadKernels } from '../native/build.js';
import { ProbeMemory } from '../probe-memory.js';
import { compile } from '../program.js';
import { nativePairTarget, nativeTarget, wasmTarget } from '../targets.js';
import { emitWasm } from '../wasm/emit.js';
import { flopsOf, partsOf, PEAK_FLOPS_PER_LANE, peakKernel } from './parts.js';

const ROUNDS = 5;
const ROUND_MS = 5;

type Callable = (...places: readonly number[]) => void;

/** Times each kernel of a model alone, in the engine that was chosen. */
export async function profileKernels(
  model: Model,
  optimizer: OptimizerName,
  { library }: Pick<ChosenEngine, 'library'>,
): Promise<Required<Omit<ProfileEvent, 'event' | 'step'>>> {
  const target = !library
    ? wasmTarget
    : library.pairWorkSize === undefined
      ? nativeTarget(library.compiler.lanes)
      : nativePairTarget;
  const program = compile(model, optimizer, target);
  const parts = partsOf(program);
  const memory = new ProbeMemory(model, optimizer);
  const work = memory.floats(new Float32Array(program.workSize));
  const values = memory.floats(new Float32Array(3 * target.width).fill(1, 0, target.width));
  const kernels = [...parts.map(({ kernel }) => kernel), peakKernel(target.width)];
  const call = library
    ? await loadKernels(kernels, target, library.compiler, memory.memory)
    : inWasm(kernels, memory.memory);
  const seconds = (name: string, ...places: readonly Place[]): number =>
    leastSeconds(() => {
      call[name]?.(...places);
    });
  const args = memory.gradientArguments(work);
  // What one kernel reads, another wrote: each has to have run once.
  for (const { kernel } of parts) call[kernel.name]?.(...args);
  const peakGflops = (PEAK_FLOPS_PER_LANE * target.width) / seconds('peak', values) / 1e9;
  const timed = parts.map(({ name, kernel }) => {
    const elapsed = seconds(kernel.name, ...args);
    const flops = flopsOf(model, name) * target.lanes;
    const microseconds = (elapsed * 1e6 * wasmTarget.lanes) / target.lanes;
    return { name, microseconds, ...(flops > 0 && { gflops: flops / elapsed / 1e9 }) };
  });
  return { peakGflops, kernels: timed };
}

function inWasm(kernels: readonly Kernel[], memory: WebAssembly.Memory): Record<string, Callable> {
  const module = new WebAssembly.Module(emitWasm(kernels));
  return new WebAssembly.Instance(module, { env: { memory } }).exports as Record<string, Callable>;
}

/** Seconds of a call, at its best: what disturbs a measurement makes it longer. */
function leastSeconds(call: () => void): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const since = performance.now();
    let calls = 0;
    do {
      call();
      calls += 1;
    } while (performance.now() - since < ROUND_MS);
    return (performance.now() - since) / calls / 1000;
  });
  return Math.min(...rounds);
}
