import { DtrainError } from '../../errors.js';
import { findTfjsNode } from '../tfjs-node/find.js';
import { isLayersModel, type RunModel } from '../run-model.js';
import { type LayersSpec, layersSpecOf } from './spec.js';

/** TensorFlow.js as threads are told to start it. */
export interface TfjsEngine {
  readonly name: 'tfjs';
  readonly note: string;
  readonly spec: LayersSpec;
  /** The folder of the package `@tensorflow/tfjs-node`; without it the WebAssembly backend computes. */
  readonly folder?: string;
}

/**
 * TensorFlow.js on tfjs-node where that is installed, and else on WebAssembly. Eager operations of
 * tfjs-node crash a process in which two threads run them, so several threads get WebAssembly.
 */
export function prepareTfjs(model: RunModel, threads: number): TfjsEngine {
  const spec = isLayersModel(model) ? model.spec : layersSpecOf(model);
  const node = foundTfjsNode();
  if (!node) return { name: 'tfjs', note: 'on WebAssembly', spec };
  if (threads > 1) {
    const note = 'on WebAssembly, since tfjs-node crashes in more than one thread';
    return { name: 'tfjs', note, spec };
  }
  return { name: 'tfjs', note: `on TensorFlow ${node.version}`, spec, folder: node.folder };
}

function foundTfjsNode(): ReturnType<typeof findTfjsNode> | undefined {
  try {
    return findTfjsNode();
  } catch (error) {
    if (error instanceof DtrainError && error.code === 'ENGINE_MISSING') return undefined;
    throw error;
  }
}
