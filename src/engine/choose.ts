import { DtrainError } from '../errors.js';
import type { OptimizerName } from '../optim/optimizer.js';
import { type ApproximateEngine, prepareApproximate } from './approximate.js';
import { type Arithmetic, arithmeticOf, type EngineChoice, type EngineName } from './names.js';
import type { NativeLibrary } from './native/build.js';
import { chooseNative } from './native/choose.js';
import { isLayersModel, type RunModel } from './run-model.js';
import type { WasmModule } from './wasm/instance.js';

/** What computes on this machine. Exact engines all give the same bits. */
export interface ChosenEngine {
  readonly name: EngineName;
  readonly arithmetic: Arithmetic;
  /** Where it comes from, or why there is no native code; undefined if that was not asked for. */
  readonly note?: string;
  readonly library?: NativeLibrary;
  readonly approximate?: ApproximateEngine;
}

/**
 * The engine that was asked for. `auto` is `native` where this machine's compiler makes code that
 * gives the WebAssembly module's bits, else `wasm`; in a run of approximate engines, one of those.
 * @param threads in which it is to compute
 * @param arithmetic the run's, which is the engine's unless that is `auto`
 * @throws DtrainError ENGINE_MISSING for an engine that was asked for and is not there,
 * MODEL_INVALID for a layer that it lacks
 */
export async function chooseEngine(
  choice: EngineChoice,
  model: RunModel,
  optimizer: OptimizerName,
  wasm: WasmModule,
  threads: number,
  arithmetic: Arithmetic = arithmeticOf(choice),
): Promise<ChosenEngine> {
  if (isLayersModel(model) || arithmetic === 'approximate') {
    const approximate = await prepareApproximate(choice, model, threads);
    return {
      name: approximate.name,
      arithmetic: 'approximate',
      note: approximate.note,
      approximate,
    };
  }
  if (choice === 'wasm') return { name: 'wasm', arithmetic };
  const native = await chooseNative(model, optimizer, wasm);
  if (native.library) {
    const { library } = native;
    return { name: 'native', arithmetic, note: library.description, library };
  }
  if (choice === 'auto') {
    return { name: 'wasm', arithmetic, note: `no native code: ${native.why}` };
  }
  throw new DtrainError('ENGINE_MISSING', `The engine native cannot be had: ${native.why}.`);
}
