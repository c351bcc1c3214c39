import type { TensorInfo } from '@tensorflow/tfjs-core';

/** Registers a kernel of the WebAssembly backend, in place of its own if it has one. */
export type Register<Inputs, Attributes> = (
  kernelName: string,
  compute: (inputs: Inputs, attributes: Attributes) => TensorInfo,
) => void;
