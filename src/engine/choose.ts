import { DtrainError } from '../errors.js';
import type { Model } from '../model/model.js';
import type { OptimizerName } from '../optim/optimizer.js';
import { type ApproximateEngine, prepareApproximate } from './approximate.js';
import { type Arithmetic, arithmeticOf, type EngineChoice, type EngineName } from './names.js';
import type { NativeLibrary } from './native/build.js';
import { chooseNative } from './native/choose.js';
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
 * @param arithmetic the run's, which is the engine's unless that is `auto`
 * @throws DtrainError ENGINE_MISSING for an engine that was asked for and is not there,
 * MODEL_INVALID for a layer that it lacks
 */
export async function chooseEngine(
  choice: EngineChoice,
  model: Model,
  optimizer: OptimizerName,
  wasm: WasmModule,
  arithmetic: Arithmetic = arithmeticOf(choice),
): Promise<ChosenEngine> {
  if (arithmetic === 'approximate') {
    const approximate = await prepareApproximate(model);
    return { name: approximate.name, arithmetic, note: approximate.note, approximate };
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
