import { PAGE } from '../engine/engine.js';
import { LANES } from '../engine/ir/types.js';
import { isLayersModel, type RunModel } from '../engine/run-model.js';
import type { LayersModel } from '../engine/tfjs/spec.js';
import { compileForWasm } from '../engine/wasm/compile.js';
import { instantiate } from '../engine/wasm/instance.js';
import { type Model, sizeOf } from '../model/model.js';
import { probabilitiesOf } from './probabilities.js';

/** A trained model that answers for one sample at a time, in this thread. */
export class Predictor {
  readonly #classify: (sample: Uint8Array) => number[];

  private constructor(classify: (sample: Uint8Array) => number[]) {
    this.#classify = classify;
  }

  /**
   * @param table the float32 value of each byte of a sample, as `byteTable` gives it
   * @throws DtrainError ENGINE_MISSING if the model is one of TensorFlow.js's and that is not here
   */
  static of(model: RunModel, weights: Float32Array, table: Float32Array): Promise<Predictor> {
    return isLayersModel(model)
      ? Predictor.#ofLayers(model, weights, table)
      : Predictor.#ofKernels(model, weights, table);
  }

  static async #ofLayers(
    model: LayersModel,
    weights: Float32Array,
    table: Float32Array,
  ): Promise<Predictor> {
    const { loadTensorFlow } = await import('../engine/tfjs/libraries.js');
    const { LayersEngine } = await import('../engine/tfjs/layers-engine.js');
    const { topology, loss } = model.spec;
    const engine = await LayersEngine.create(await loadTensorFlow(), topology, loss, 0);
    const tables = table.length / 256;
    return new Predictor((sample) => {
      const values = Float32Array.from(sample, (byte, index) => {
        return table[(index % tables) * 256 + byte] ?? NaN;
      });
      return probabilitiesOf(engine.outputsOf(weights, values), loss);
    });
  }

  static async #ofKernels(
    model: Model,
    weights: Float32Array,
    table: Float32Array,
  ): Promise<Predictor> {
    const { module, program } = await compileForWasm(model, 'sgd');
    let bytes = 0;
    const place = (size: number): number => {
      const at = bytes;
      bytes += 64 * Math.ceil(size / 64);
      return at;
    };
    const places = {
      weights: place(4 * weights.length),
      images: place(sizeOf(model.spec.input)),
      labels: place(1),
      table: place(4 * table.length),
      indices: place(4 * LANES),
      work: place(4 * program.workSize),
      out: place(4 * 2 * LANES),
    };
    const pages = Math.ceil(bytes / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const engine = instantiate(module, memory);
    const floats = new Float32Array(memory.buffer);
    floats.set(weights, places.weights / 4);
    floats.set(table, places.table / 4);
    return new Predictor((sample) => {
      new Uint8Array(memory.buffer).set(sample, places.images);
      const { weights: w, images, labels, table: values, indices, work, out } = places;
      engine.evaluate(w, images, labels, values, indices, 1, work, out);
      // The first lane's outputs.
      const first = work / 4 + program.outputs;
      const outputs = Array.from({ length: program.outputCount }, (_, output) => {
        return floats[first + output * LANES] ?? NaN;
      });
      return probabilitiesOf(outputs, model.spec.loss ?? 'softmaxCrossEntropy');
    });
  }

  /** The probability of each class for a sample's bytes, [row][column][channel]. */
  classify(sample: Uint8Array): number[] {
    return this.#classify(sample);
  }
}
