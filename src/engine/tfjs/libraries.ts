import { createRequire } from 'node:module';
import type * as Core from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import { DtrainError } from '../../errors.js';
import { registerWasmKernels } from './register.js';

/** TensorFlow.js at work in this thread. */
export interface TensorFlow {
  readonly core: typeof Core;
  readonly layers: typeof Layers;
}

/**
 * TensorFlow.js on tfjs-node, of which one thread of a process may run operations.
 * @param folder of the package, as `findTfjsNode` finds it
 */
export function loadOnNode(folder: string): TensorFlow {
  const all = createRequire(import.meta.url)(folder) as typeof Core & typeof Layers;
  all.enableProdMode();
  return { core: all, layers: all };
}

let loaded: Promise<TensorFlow> | undefined;

/**
 * TensorFlow.js on its WebAssembly backend, loaded once in a thread.
 * @throws DtrainError ENGINE_MISSING if its packages are not installed
 */
export function loadTensorFlow(): Promise<TensorFlow> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<TensorFlow> {
  const [core, layers] = await packages();
  // Without advice to install another backend.
  core.enableProdMode();
  if (!(await core.setBackend('wasm'))) {
    throw missing('its WebAssembly backend does not start here');
  }
  registerWasmKernels(core);
  addMethods(core);
  return { core, layers };
}

/** The methods of tensors that the layers' orthogonal initializer calls; the core alone has none. */
function addMethods(core: typeof Core): void {
  const methods: Record<string, (this: Tensor, ...args: never[]) => Tensor> = {
    flatten() {
      return core.reshape(this, [-1]);
    },
    reshape(shape: number[]) {
      return core.reshape(this, shape);
    },
    sign() {
      return core.sign(this);
    },
    stridedSlice(begin: number[], end: number[], strides: number[]) {
      return core.stridedSlice(this, begin, end, strides);
    },
    transpose() {
      return core.transpose(this);
    },
  };
  Object.assign(core.Tensor.prototype, methods);
}

async function packages(): Promise<[typeof Core, typeof Layers]> {
  try {
    const [core, layers] = await Promise.all([
      import('@tensorflow/tfjs-core'),
      import('@tensorflow/tfjs-layers'),
      import('@tensorflow/tfjs-backend-wasm'),
    ]);
    return [core, layers];
  } catch (cause) {
    throw missing('its optional packages are not installed', cause);
  }
}

function missing(why: string, cause?: unknown): DtrainError {
  const packages = ['core', 'layers', 'backend-wasm'].map((name) => `@tensorflow/tfjs-${name}`);
  return new DtrainError(
    'ENGINE_MISSING',
    `The engine tfjs cannot be had: ${why}. Type: npm install ${packages.join(' ')}`,
    { cause },
  );
}
