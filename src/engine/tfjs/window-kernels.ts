import type * as Core from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from '../../model/model.js';
import {
  averagePoolGradient,
  filterGradient,
  type GradientKernel,
  inputGradient,
  maxPoolGradient,
  type Window,
} from './gradient-kernels.js';
import type { KernelHeap, KernelOperand } from './heap.js';
import type { Register } from './kernel.js';

type Image = [samples: number, rows: number, columns: number, channels: number];
type Filter = [rows: number, columns: number, channels: number, filters: number];
type ConvInfo = Core.backend_util.Conv2DInfo;

/** Attributes of a convolution or a pooling, as TensorFlow.js's operations give them. */
interface WindowAttributes {
  readonly filterShape: Filter;
  readonly inputShape: Image;
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: 'same' | 'valid' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Inputs = Readonly<Record<'x' | 'dy' | 'filter' | 'input', TensorInfo>>;

/** Registers the gradients of convolutions and poolings. */
export function registerWindowKernels(
  { computeConv2DInfo, computePool2DInfo }: typeof Core.backend_util,
  heap: KernelHeap,
  register: Register<Inputs, WindowAttributes>,
): void {
  const convolution = (
    input: Image,
    filter: Filter,
    attributes: WindowAttributes,
    depthwise: boolean,
  ): ConvInfo =>
    computeConv2DInfo(
      input,
      filter,
      attributes.strides,
      1,
      attributes.pad,
      attributes.dimRoundingMode,
      depthwise,
    );
  const filterKernel = (depthwise: boolean) => (inputs: Inputs, attributes: WindowAttributes) => {
    const { x, dy } = inputs;
    const { filterShape } = attributes;
    const window = windowOf(convolution(x.shape as Image, filterShape, attributes, depthwise));
    const out = heap.make(filterShape);
    heap.valuesOf(out).fill(0);
    heap.run(keyOf('filter', window, depthwise), () => filterGradient(window, depthwise), x, {
      first: perSample(x),
      second: perSample(dy),
      out: { tensor: out, stride: 0 },
    });
    return out;
  };
  const inputKernel = (depthwise: boolean) => (inputs: Inputs, attributes: WindowAttributes) => {
    const { dy, filter } = inputs;
    const { inputShape } = attributes;
    const window = windowOf(convolution(inputShape, filter.shape as Filter, attributes, depthwise));
    const out = heap.make(inputShape);
    heap.run(keyOf('input', window, depthwise), () => inputGradient(window, depthwise), dy, {
      first: perSample(dy),
      second: { tensor: filter, stride: 0 },
      out: perSample(out),
    });
    return out;
  };
  const poolKernel =
    (kind: string, make: (window: Window) => GradientKernel) =>
    ({ dy, input }: Inputs, { filterSize, strides, pad, dimRoundingMode }: WindowAttributes) => {
      const shape = input.shape as Image;
      const window = windowOf(
        computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode),
      );
      const out = heap.make(shape);
      heap.run(keyOf(kind, window), () => make(window), input, {
        first: perSample(dy),
        second: perSample(input),
        out: perSample(out),
      });
      return out;
    };

  register('Conv2DBackpropFilter', filterKernel(false));
  register('Conv2DBackpropInput', inputKernel(false));
  register('DepthwiseConv2dNativeBackpropFilter', filterKernel(true));
  register('DepthwiseConv2dNativeBackpropInput', inputKernel(true));
  register('MaxPoolGrad', poolKernel('max', maxPoolGradient));
  register('AvgPoolGrad', poolKernel('average', averagePoolGradient));
}

function perSample(tensor: TensorInfo): KernelOperand {
  const [, ...sample] = tensor.shape;
  return { tensor, stride: sizeOf(sample) };
}

function windowOf(info: ConvInfo): Window {
  const { top, left, bottom, right } = info.padInfo;
  return {
    input: [info.inHeight, info.inWidth, info.inChannels],
    output: [info.outHeight, info.outWidth, info.outChannels],
    size: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    padding: { top, left, bottom, right },
  };
}

function keyOf(kind: string, window: Window, depthwise = false): string {
  return JSON.stringify([kind, depthwise, window]);
}
