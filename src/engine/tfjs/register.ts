import type * as Core from '@tensorflow/tfjs-core';
import { KernelHeap, type WasmBackend } from './heap.js';
import type { Register } from './kernel.js';
import { registerMatMul } from './matmul.js';
import { registerSegmentSum } from './segment-sum.js';
import { registerWindowKernels } from './window-kernels.js';

/**
 * Gives TensorFlow.js's WebAssembly backend, which must be the one at work, the kernels that it
 * lacks in training. Version 4.22 has no filter gradient of a convolution, no gradient of a
 * depthwise one or of an embedding; its MaxPoolGrad loses the gradient of windows without a
 * positive value; its AvgPoolGrad counts the padding; its Conv2DBackpropInput and its product of transposed matrices are slow.
 * @throws DtrainError ENGINE_MISSING if the backend is another than the one that is known
 */
export function registerWasmKernels(tf: typeof Core): void {
  const backend = tf.backend() as unknown as WasmBackend;
  const heap = new KernelHeap(backend);
  const own = new Set(tf.getKernelsForBackend('wasm').map(({ kernelName }) => kernelName));
  const register: Register<never, never> = (kernelName, compute) => {
    if (own.has(kernelName)) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: ({ inputs, attrs }) => compute(inputs as never, attrs as never),
    });
  };
  registerWindowKernels(tf.backend_util, heap, register);
  registerSegmentSum(heap, register);
  registerMatMul(tf, backend);
}
