import {
  type ApproximateEngine,
  approximateCallSizes,
  startApproximate,
} from '../engine/approximate.js';
import type { CallSizes, Engine, Place, ThreadEngine, Updater } from '../engine/engine.js';
import { exactCallSizes, exactThreadEngine } from '../engine/exact.js';
import type { NativeLibrary } from '../engine/native/build.js';
import { loadLibrary } from '../engine/native/library.js';
import { instantiate, instantiateUpdater } from '../engine/wasm/instance.js';

/** What computes, as threads are told: native code, an approximate engine, or the module alone. */
export interface EngineParts {
  readonly library?: NativeLibrary | undefined;
  readonly approximate?: ApproximateEngine | undefined;
}

export function callSizes({ library, approximate }: EngineParts): CallSizes {
  return approximate ? approximateCallSizes : exactCallSizes(library?.pairWorkSize !== undefined);
}

/** What adds and updates in a memory; the module does where an approximate engine computes. */
export function updaterIn(
  memory: WebAssembly.Memory,
  module: WebAssembly.Module,
  parts: EngineParts,
): Updater {
  return parts.approximate ? instantiateUpdater(module, memory) : exactIn(memory, module, parts);
}

function exactIn(
  memory: WebAssembly.Memory,
  module: WebAssembly.Module,
  { library }: EngineParts,
): Engine {
  if (!library) return instantiate(module, memory);
  return loadLibrary(library.file, library.pairWorkSize !== undefined, memory);
}

/** What a thread computes with. */
export interface StartedEngine {
  readonly samples: ThreadEngine;
  readonly updater: Updater;
}

/** Starts the engine in a thread. */
export async function startEngine(
  memory: WebAssembly.Memory,
  module: WebAssembly.Module,
  parts: EngineParts,
  { weights, table, work, pairWork }: Record<'weights' | 'table' | 'work' | 'pairWork', Place>,
): Promise<StartedEngine> {
  const surroundings = { memory, weights, table };
  const { approximate } = parts;
  if (approximate) {
    const samples = await startApproximate(approximate, surroundings);
    return { samples, updater: instantiateUpdater(module, memory) };
  }
  const engine = exactIn(memory, module, parts);
  return { samples: exactThreadEngine(engine, surroundings, work, pairWork), updater: engine };
}
