import type * as Core from '@tensorflow/tfjs-core';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '../../model/model.js';
import type { WasmBackend } from './heap.js';

interface Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/**
 * TensorFlow.js's WebAssembly backend has a fast product for matrices as they are and a slow one
 * for those that are to be transposed, which every dense layer's gradients are. Transposing them
 * first makes their products the fast one.
 */
export function registerMatMul(tf: typeof Core, backend: WasmBackend): void {
  const multiply = tf.getKernel('BatchMatMul', 'wasm').kernelFunc;
  const transpose = tf.getKernel('Transpose', 'wasm').kernelFunc;

  const transposed = (matrix: TensorInfo): TensorInfo => {
    const axes = matrix.shape.map((_, axis) => axis);
    const perm = [...axes.slice(0, -2), ...axes.slice(-2).reverse()];
    return transpose({ inputs: { x: matrix }, backend, attrs: { perm } }) as TensorInfo;
  };
  const kernelFunc: KernelFunc = ({ inputs, attrs }) => {
    const { a, b } = inputs as Record<'a' | 'b', TensorInfo>;
    const { transposeA, transposeB } = attrs as unknown as Attributes;
    // Of several matrices at once the backend's own product is no faster for either kind.
    const single = [a, b].every(({ shape }) => sizeOf(shape.slice(0, -2)) === 1);
    if (!single) return multiply({ inputs, backend, attrs: { transposeA, transposeB } });
    const [left, right] = [transposeA ? transposed(a) : a, transposeB ? transposed(b) : b];
    const product = multiply({
      inputs: { a: left, b: right },
      backend,
      attrs: { transposeA: false, transposeB: false },
    });
    if (left !== a) backend.disposeData(left.dataId);
    if (right !== b) backend.disposeData(right.dataId);
    return product;
  };
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({ kernelName: 'BatchMatMul', backendName: 'wasm', kernelFunc });
}
