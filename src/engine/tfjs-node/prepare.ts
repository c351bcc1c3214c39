import { type SampleLayout, sampleLayout } from '../sample-values.js';
import type { Model } from '../../model/model.js';
import { type DrawnDropout, dropoutsOf } from './dropouts.js';
import { findTfjsNode } from './find.js';
import { savedModel } from './saved-model.js';

/** TensorFlow as threads are told to start it. */
export interface TfjsNodeEngine {
  readonly name: 'tfjs-node';
  readonly note: string;
  /** The folder of the package `@tensorflow/tfjs-node`. */
  readonly folder: string;
  /** How it finds samples in memory. */
  readonly layout: SampleLayout;
  readonly parameterCount: number;
  readonly dropouts: readonly DrawnDropout[];
  /** The model as a SavedModel's bytes. */
  readonly savedModel: Uint8Array;
}

/**
 * Loads TensorFlow into this process, and writes the model as it wants it.
 * @throws DtrainError ENGINE_MISSING if TensorFlow cannot be had
 */
export function prepareTfjsNode(model: Model): TfjsNodeEngine {
  const bytes = savedModel(model);
  const { folder, version } = findTfjsNode();
  return {
    name: 'tfjs-node',
    note: `TensorFlow ${version}`,
    folder,
    layout: sampleLayout(model),
    parameterCount: model.parameterCount,
    dropouts: dropoutsOf(model),
    savedModel: bytes,
  };
}
