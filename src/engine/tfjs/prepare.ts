import util from 'node:util';
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
 * TensorFlow.js on tfjs-node where that is installed and its eager operations work, and else on
 * WebAssembly.
 */
export function prepareTfjs(model: RunModel, threads: number): TfjsEngine {
  const spec = isLayersModel(model) ? model.spec : layersSpecOf(model);
  const node = foundTfjsNode();
  if (!node) return { name: 'tfjs', note: 'on WebAssembly', spec };
  const reason = reasonAgainst(threads);
  if (reason) return { name: 'tfjs', note: `on WebAssembly, since ${reason}`, spec };
  return { name: 'tfjs', note: `on TensorFlow ${node.version}`, spec, folder: node.folder };
}

/** Why tfjs-node 4.22 cannot run single operations here. */
function reasonAgainst(threads: number): string | undefined {
  if (threads > 1) return 'tfjs-node crashes in more than one thread';
  // It calls this, which Node 23 took away.
  if (!('isNullOrUndefined' in util)) return `tfjs-node fails on Node ${process.versions.node}`;
  return undefined;
}

function foundTfjsNode(): ReturnType<typeof findTfjsNode> | undefined {
  try {
    return findTfjsNode();
  } catch (error) {
    if (error instanceof DtrainError && error.code === 'ENGINE_MISSING') return undefined;
    throw error;
  }
}
