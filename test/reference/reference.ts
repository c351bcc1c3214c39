import { sizeOf, type Model, type PlacedLayer } from '../../src/model/model.js';
import { addAt, argmax, at } from './arrays.js';
import { crossEntropy, crossEntropyGradient } from './cross-entropy.js';
import { layerBackward, layerForward } from './layer.js';

/** What a batch costs and how the weights move that. */
export interface LossAndGradient {
  /** Sum over the samples of softmax cross-entropy. */
  readonly loss: number;
  /** Samples whose first largest logit is their label's. */
  readonly correct: number;
  /** Sum over the samples, flat in the order of the model's parameters. */
  readonly gradient: Float64Array;
  /**
   * Sum over the samples of the magnitude of each one's gradient. The rounding of a gradient's sum
   * is in proportion to this; the sum itself may cancel to nearly nothing.
   */
  readonly magnitude: Float64Array;
}

/** A layer and what it takes in for one sample. */
export interface Step {
  readonly placed: PlacedLayer;
  readonly input: Float64Array;
}

/** Every layer's input for one sample (its image as [row][column][channel]), and the logits. */
export function trace(
  model: Model,
  weights: Float64Array,
  image: Float64Array,
): { readonly steps: readonly Step[]; readonly logits: Float64Array } {
  checkLength('the weights', weights, model.parameterCount);
  checkLength('the image', image, sizeOf(model.spec.input));
  const steps: Step[] = [];
  let values = image;
  for (const placed of model.layers) {
    steps.push({ placed, input: values });
    values = layerForward(placed, weights, values);
    checkLength(`the output of ${placed.name}`, values, sizeOf(placed.output));
  }
  return { steps, logits: values };
}

/** A model's logits for one sample, its image as [row][column][channel]. */
export function forward(model: Model, weights: Float64Array, image: Float64Array): Float64Array {
  return trace(model, weights, image).logits;
}

/** The loss of a batch, its correct predictions and its gradient, all summed over the samples. */
export function lossAndGradient(
  model: Model,
  weights: Float64Array,
  images: readonly Float64Array[],
  labels: readonly number[],
): LossAndGradient {
  if (labels.length !== images.length) {
    throw new RangeError(`${images.length} images with ${labels.length} labels`);
  }
  const gradient = new Float64Array(model.parameterCount);
  const magnitude = new Float64Array(model.parameterCount);
  let sum = 0;
  let correct = 0;
  for (const [sample, image] of images.entries()) {
    const label = at(labels, sample);
    const { steps, logits } = trace(model, weights, image);
    sum += crossEntropy(logits, label);
    correct += argmax(logits) === label ? 1 : 0;
    for (const [index, value] of backward(model, weights, steps, logits, label).entries()) {
      addAt(gradient, index, value);
      addAt(magnitude, index, Math.abs(value));
    }
  }
  return { loss: sum, correct, gradient, magnitude };
}

/** The gradient of one sample's loss. */
function backward(
  model: Model,
  weights: Float64Array,
  steps: readonly Step[],
  logits: Float64Array,
  label: number,
): Float64Array {
  const gradient = new Float64Array(model.parameterCount);
  let flowing = crossEntropyGradient(logits, label);
  for (const { placed, input } of steps.toReversed()) {
    flowing = layerBackward(placed, weights, input, flowing, gradient);
  }
  return gradient;
}

function checkLength(what: string, values: Float64Array, length: number): void {
  if (values.length !== length) {
    throw new RangeError(`${what}: ${values.length} values, not ${length}`);
  }
}
