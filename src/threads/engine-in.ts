import type { Engine } from '../engine/engine.js';
import type { NativeLibrary } from '../engine/native/build.js';
import { loadLibrary } from '../engine/native/library.js';
import { instantiate } from '../engine/wasm/instance.js';

/** The engine that computes in a memory: the library if there is one, else the module. */
export function engineIn(
  memory: WebAssembly.Memory,
  module: WebAssembly.Module,
  library: NativeLibrary | undefined,
): Engine {
  if (!library) return instantiate(module, memory);
  return loadLibrary(library.file, library.pairWorkSize !== undefined, memory);
}
