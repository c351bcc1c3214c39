import type { EngineChoice } from '../config/types.js';
import { DtrainError } from '../errors.js';
import type { Model } from '../model/model.js';
import type { OptimizerName } from '../optim/optimizer.js';
import type { NativeLibrary } from './native/build.js';
import { chooseNative } from './native/choose.js';
import type { WasmModule } from './wasm/instance.js';

/** What computes on this machine. Whichever it is, the bits are the same. */
export interface ChosenEngine {
  readonly name: 'native' | 'wasm';
  /** Where native code comes from, or why there is none; undefined if that was not asked for. */
  readonly note?: string;
  readonly library?: NativeLibrary;
}

/**
 * `native` where this machine's compiler makes code that gives the WebAssembly module's bits, else
 * `wasm`, or the one that was asked for.
 * @throws DtrainError ENGINE_MISSING for an engine that was asked for and is not there
 */
export async function chooseEngine(
  choice: EngineChoice,
  model: Model,
  optimizer: OptimizerName,
  wasm: WasmModule,
): Promise<ChosenEngine> {
  if (choice === 'wasm') return { name: 'wasm' };
  const native = await chooseNative(model, optimizer, wasm);
  if (native.library) {
    const { library } = native;
    return { name: 'native', note: library.description, library };
  }
  if (choice === 'auto') return { name: 'wasm', note: `no native code: ${native.why}` };
  throw new DtrainError('ENGINE_MISSING', `The engine native cannot be had: ${native.why}.`);
}
