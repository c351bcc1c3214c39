import { DtrainError } from '../../errors.js';
import type { Engine, Updater } from '../engine.js';
import type { Arithmetic } from '../names.js';

/** A compiled model's WebAssembly module. */
export interface WasmModule {
  readonly module: WebAssembly.Module;
  /** Float32 values that a thread works in. */
  readonly workSize: number;
}

const exportedKernels: Readonly<Record<Arithmetic, readonly string[]>> = {
  exact: ['gradients', 'evaluate', 'add', 'update'],
  approximate: ['add', 'update'],
};

/**
 * Compiles a module's bytes, which may have come over the network: it must want its memory and
 * nothing else, so it can reach nothing else.
 * @throws DtrainError PROTOCOL if the bytes are no module of dtrain's
 */
export async function compileModule(
  bytes: Uint8Array<ArrayBuffer>,
  arithmetic: Arithmetic = 'exact',
): Promise<WebAssembly.Module> {
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(bytes);
  } catch (cause) {
    throw new DtrainError('PROTOCOL', 'The compiled model is not a WebAssembly module.', { cause });
  }
  const imports = WebAssembly.Module.imports(module);
  const functions = WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function');
  const memoryAlone = imports.length === 1 && imports[0]?.kind === 'memory';
  const named = imports[0]?.module === 'env' && imports[0].name === 'memory';
  const complete = exportedKernels[arithmetic].every((kernel) =>
    functions.some(({ name }) => name === kernel),
  );
  if (!memoryAlone || !named || !complete || runsAtStart(bytes)) {
    throw new DtrainError('PROTOCOL', 'The compiled model has other imports or exports than ours.');
  }
  return module;
}

/** Whether a valid module has a start section: a function that runs, perhaps for ever, when it is instantiated. */
function runsAtStart(bytes: Uint8Array): boolean {
  const START_SECTION = 8;
  let at = 8;
  while (at < bytes.length) {
    if (bytes[at] === START_SECTION) return true;
    at += 1;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  return false;
}

/** The module at work in a shared memory. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Engine {
  return instantiateUpdater(module, memory) as Engine;
}

/** A module at work that may have no gradients, since another engine computes them. */
export function instantiateUpdater(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Updater {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return exports as unknown as Updater;
}
