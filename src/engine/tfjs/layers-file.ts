import type { NamedLayersModel } from './spec.js';

/** A file that describes a model of layers, as far as can be told without TensorFlow.js. */
export interface LayersFile {
  /** Whether TensorFlow.js has such layers. */
  readonly known: boolean;
  /**
   * Has TensorFlow.js build the model. Without weights in the file the seed decides the first ones.
   * @throws DtrainError MODEL_FILE, MODEL_INVALID, ENGINE_MISSING
   */
  readonly read: (seed: number) => Promise<ReadLayersModel>;
}

/** A model of TensorFlow.js's layers as its file has it. */
export interface ReadLayersModel {
  readonly model: NamedLayersModel;
  /** The file's, or the seed's. */
  readonly weights: Float32Array;
  /** They are the file's. */
  readonly trained: boolean;
}
