import type { Scalar, Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { DtrainError, reasonOf } from '../../errors.js';
import { type Parameter, sizeOf } from '../../model/model.js';
import { buildLayersModel, layersOf } from './build.js';
import type { Chance } from '../chance.js';
import { withChance } from './chance.js';
import type { TensorFlow } from './libraries.js';
import type { LossName } from '../../model/layers.js';
import { classesOf, lossesOf, targetsOf } from './loss.js';
import type { Topology } from './topology.js';

/** Sums over samples. */
export interface GradientSums {
  readonly loss: number;
  readonly correct: number;
  /**
   * Of each trainable weight its gradient; of the others, such as a batch normalisation's moving
   * mean, how much less it is after these samples, times their number. So the mean over a batch's
   * samples, taken off, is what the batch makes of it.
   */
  readonly gradient: Float32Array;
}

/** A TensorFlow.js layers model with flat weights: the trainable ones first, then the others. */
export class LayersEngine {
  readonly parameters: readonly Parameter[];
  readonly parameterCount: number;
  /** How many of the flat weights the optimizer moves. */
  readonly trainableCount: number;
  /** Of one sample, and how many values it has. */
  readonly inputShape: readonly number[];
  readonly sampleSize: number;
  /** Outputs for a sample; a single one says of which of two classes it is. */
  readonly outputs: number;
  readonly firstWeights: Float32Array;
  /** The names of each layer's weights, by the layer's name. */
  readonly layerWeights: ReadonlyMap<string, readonly string[]>;
  readonly #tensorFlow: TensorFlow;
  readonly #model: LayersModel;
  readonly #loss: LossName;
  readonly #weights: readonly LayerVariable[];
  /** The trainable weights. */
  readonly #variables: Variable[];

  /**
   * @param topology as `parseTopology` gives it
   * @param seed decides the first weights
   * @throws DtrainError MODEL_INVALID if TensorFlow.js cannot build the model, or not for such a loss
   */
  static async create(
    tensorFlow: TensorFlow,
    topology: Topology,
    loss: LossName,
    seed: number,
  ): Promise<LayersEngine> {
    const model = await buildLayersModel(tensorFlow, topology, loss, seed);
    const engine = new LayersEngine(tensorFlow, model, loss);
    engine.#tryGradients();
    return engine;
  }

  private constructor(tensorFlow: TensorFlow, model: LayersModel, loss: LossName) {
    this.#tensorFlow = tensorFlow;
    this.#model = model;
    this.#loss = loss;
    const trainable = model.trainableWeights;
    this.#weights = [...trainable, ...model.nonTrainableWeights];
    this.#variables = trainable.map((weight) => variableOf(tensorFlow, weight));
    let offset = 0;
    this.parameters = this.#weights.map(({ originalName, shape }) => {
      const extents = shape.map((extent) => extent ?? NaN);
      const parameter = { name: originalName, shape: extents, offset, size: sizeOf(extents) };
      offset += parameter.size;
      return parameter;
    });
    this.parameterCount = offset;
    this.layerWeights = new Map(
      layersOf(model).map(({ name, weights }) => [
        name,
        weights.map(({ originalName }) => originalName),
      ]),
    );
    this.trainableCount = this.parameters[trainable.length]?.offset ?? offset;
    this.firstWeights = this.#read(this.#weights, new Float32Array(offset));
    this.inputShape = fixedShape(model.inputs[0]?.shape, 'input');
    const output = fixedShape(model.outputs[0]?.shape, 'output');
    this.sampleSize = sizeOf(this.inputShape);
    this.outputs = sizeOf(output);
    if (output.length !== 1 || (loss === 'softmaxCrossEntropy' && this.outputs < 2)) {
      throw invalid(`its output is [${output.join(', ')}], not one number for each class`);
    }
    if (this.trainableCount === 0) throw invalid('nothing in it can be trained');
  }

  /**
   * Gradients of samples, which lie one after the other.
   * @param chance what random layers draw from
   */
  gradients(
    weights: Float32Array,
    samples: Float32Array,
    labels: Uint8Array,
    chance: Chance,
  ): GradientSums {
    const { core } = this.#tensorFlow;
    this.#write(weights);
    return this.#tidy(() => {
      let correct = 0;
      const forward = (): Scalar => {
        const { outputs, losses } = this.#forward(samples, labels, true);
        correct = agreements(this.#classes(outputs), labels);
        const penalties = this.#model
          .calculateLosses()
          .map((penalty) => core.mul(penalty, labels.length));
        return penalties.reduce<Scalar>((sum, each) => core.add(sum, each), core.sum(losses));
      };
      const { value, grads } = withChance(chance, () =>
        core.variableGrads(forward, this.#variables),
      );
      const gradient = new Float32Array(this.parameterCount);
      this.#variables.forEach(({ name }, index) => {
        const values = grads[name]?.dataSync<'float32'>();
        if (values) gradient.set(values, this.parameters[index]?.offset);
      });
      const others = this.#read(this.#weights.slice(this.#variables.length), gradient);
      for (let place = this.trainableCount; place < this.parameterCount; place++) {
        gradient[place] = ((weights[place] ?? 0) - (others[place] ?? 0)) * labels.length;
      }
      return { loss: value.dataSync()[0] ?? NaN, correct, gradient };
    });
  }

  /** Each sample's loss, and the class that the model gives it. */
  evaluate(
    weights: Float32Array,
    samples: Float32Array,
    labels: Uint8Array,
  ): { losses: Float32Array; classes: Int32Array } {
    this.#write(weights);
    return this.#tidy(() => {
      const { outputs, losses } = this.#forward(samples, labels, false);
      return { losses: losses.dataSync<'float32'>(), classes: this.#classes(outputs) };
    });
  }

  /** What the model puts out for one sample. */
  outputsOf(weights: Float32Array, sample: Float32Array): number[] {
    this.#write(weights);
    return this.#tidy(() => [...this.#apply(sample, 1, false).dataSync()]);
  }

  /**
   * Disposes of the tensors that `work` makes. TensorFlow.js would look through the result for tensors
   * to keep, every number of it.
   */
  #tidy<T>(work: () => T): T {
    const results: T[] = [];
    this.#tensorFlow.core.tidy(() => {
      results.push(work());
    });
    const [result] = results;
    if (result === undefined) throw new Error('There is no result.');
    return result;
  }

  /** Some layers TensorFlow.js can compute, but not train. */
  #tryGradients(): void {
    const labels = new Uint8Array(2);
    const samples = new Float32Array(this.sampleSize * labels.length);
    try {
      this.gradients(this.firstWeights, samples, labels, { seed: 0, step: 0, first: 0 });
    } catch (cause) {
      throw invalid(`TensorFlow.js cannot train it (${reasonOf(cause).replace(/\.$/, '')})`, cause);
    }
  }

  #forward(
    samples: Float32Array,
    labels: Uint8Array,
    training: boolean,
  ): { outputs: Tensor2D; losses: Tensor1D } {
    const { core } = this.#tensorFlow;
    const outputs = this.#apply(samples, labels.length, training);
    const targets = targetsOf(core, labels, this.outputs);
    return { outputs, losses: lossesOf(core, this.#loss, outputs, targets) };
  }

  #apply(samples: Float32Array, count: number, training: boolean): Tensor2D {
    const inputs = this.#tensorFlow.core.tensor(samples, [count, ...this.inputShape]);
    return this.#model.apply(inputs, { training }) as Tensor2D;
  }

  #classes(outputs: Tensor2D): Int32Array {
    return classesOf(this.#tensorFlow.core, outputs, this.#loss);
  }

  #write(weights: Float32Array): void {
    const { core } = this.#tensorFlow;
    core.tidy(() => {
      this.#weights.forEach((weight, index) => {
        const { offset = 0, size = 0, shape = [] } = this.parameters[index] ?? {};
        weight.write(core.tensor(weights.slice(offset, offset + size), [...shape]));
      });
    });
  }

  /** Puts the values of some of the weights where they belong among all. */
  #read(some: readonly LayerVariable[], weights: Float32Array): Float32Array {
    const first = this.#weights.length - some.length;
    some.forEach((weight, index) => {
      const values = weight.read().dataSync<'float32'>();
      weights.set(values, this.parameters[first + index]?.offset);
    });
    return weights;
  }
}

function variableOf({ core }: TensorFlow, weight: LayerVariable): Variable {
  const value: Tensor = weight.read();
  const isVariable = (tensor: Tensor): tensor is Variable => tensor instanceof core.Variable;
  if (!isVariable(value)) throw new Error(`The weight ${weight.name} is no variable.`);
  return value;
}

function agreements(classes: Int32Array, labels: Uint8Array): number {
  return labels.reduce((count, label, index) => count + (classes[index] === label ? 1 : 0), 0);
}

function fixedShape(shape: readonly (number | null)[] | undefined, what: string): number[] {
  const [, ...extents] = shape ?? [];
  if (extents.length === 0 || extents.includes(null)) {
    throw invalid(`its ${what} has no fixed shape`);
  }
  return extents.map(Number);
}

function invalid(problem: string, cause?: unknown): DtrainError {
  return new DtrainError('MODEL_INVALID', `The model: ${problem}.`, { cause });
}
