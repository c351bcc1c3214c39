import type { TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '../../model/model.js';
import type { KernelHeap } from './heap.js';
import type { Register } from './kernel.js';

type Inputs = Readonly<Record<'x' | 'segmentIds', TensorInfo>>;

/** Registers an embedding's gradient: each row gets the gradients of all that looked it up. */
export function registerSegmentSum(
  heap: KernelHeap,
  register: Register<Inputs, { readonly numSegments: number }>,
): void {
  register('UnsortedSegmentSum', ({ x, segmentIds }, { numSegments }) => {
    const [, ...row] = x.shape;
    const width = sizeOf(row);
    const out = heap.make([numSegments, ...row]);
    const sums = heap.valuesOf(out).fill(0);
    const values = heap.valuesOf(x);
    heap.integersOf(segmentIds).forEach((segment, index) => {
      if (segment < 0 || segment >= numSegments) return;
      for (let place = 0; place < width; place++) {
        const at = segment * width + place;
        sums[at] = (sums[at] ?? 0) + (values[index * width + place] ?? 0);
      }
    });
    return out;
  });
}
