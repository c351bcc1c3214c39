import { SAMPLE } from '../../src/model/layers.js';
import { sizeOf, type Model, type PlacedLayer } from '../../src/model/model.js';
import { addAt, at } from './arrays.js';
import { type Draw, dropoutFactors } from './dropout.js';
import { accumulate, layerBackward, layerForward, type LayerInput } from './layer.js';
import { classOf, lossGradient, lossOf } from './losses.js';

/** What a batch costs and how the weights move that. */
export interface LossAndGradient {
  /** Sum over the samples. */
  readonly loss: number;
  /** Samples whose outputs stand for their label. */
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
export interface Step extends LayerInput {
  readonly placed: PlacedLayer;
}

/**
 * Every layer's inputs for one sample (its image as [row][column][channel]), and the outputs;
 * without a draw as the model is evaluated, with nothing dropped.
 */
export function trace(
  model: Model,
  weights: Float64Array,
  image: Float64Array,
  draw?: Draw,
): { readonly steps: readonly Step[]; readonly outputs: Float64Array } {
  checkLength('the weights', weights, model.parameterCount);
  checkLength('the image', image, sizeOf(model.spec.input));
  const steps: Step[] = [];
  const computed: Float64Array[] = [];
  for (const [index, placed] of model.layers.entries()) {
    const values = placed.inputs.map((from) =>
      from === SAMPLE ? image : valuesAt(computed, from),
    );
    const { layer, output } = placed;
    const factors =
      draw && layer.type === 'dropout' ? dropoutFactors(layer, index, output, draw) : undefined;
    const step = { placed, values, factors };
    steps.push(step);
    computed.push(layerForward(placed, weights, step));
    checkLength(`the output of ${placed.name}`, valuesAt(computed, index), sizeOf(output));
  }
  return { steps, outputs: valuesAt(computed, computed.length - 1) };
}

function valuesAt(computed: readonly Float64Array[], index: number): Float64Array {
  const values = computed[index];
  if (!values) throw new RangeError(`no layer ${index}`);
  return values;
}

/** A model's outputs for one sample, its image as [row][column][channel]. */
export function forward(model: Model, weights: Float64Array, image: Float64Array): Float64Array {
  return trace(model, weights, image).outputs;
}

/**
 * The loss of a batch, its correct predictions and its gradient, all summed over the samples.
 * @param draw of the first sample; the others stand in the places behind it
 */
export function lossAndGradient(
  model: Model,
  weights: Float64Array,
  images: readonly Float64Array[],
  labels: readonly number[],
  draw?: Draw,
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
    const own = draw && { ...draw, place: draw.place + sample };
    const { steps, outputs } = trace(model, weights, image, own);
    sum += lossOf(model, outputs, label);
    correct += classOf(outputs) === label ? 1 : 0;
    for (const [index, value] of backward(model, weights, steps, outputs, label).entries()) {
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
  outputs: Float64Array,
  label: number,
): Float64Array {
  const gradient = new Float64Array(model.parameterCount);
  const flowing = new Map([[steps.length - 1, lossGradient(model, outputs, label)]]);
  for (const [index, step] of [...steps.entries()].reverse()) {
    const own = flowing.get(index);
    if (!own) throw new Error(`nothing flows back to layer ${index}`);
    const sent = layerBackward(step.placed, weights, step, own, gradient);
    for (const from of step.placed.inputs) flowing.set(from, accumulate(flowing.get(from), sent));
  }
  return gradient;
}

function checkLength(what: string, values: Float64Array, length: number): void {
  if (values.length !== length) {
    throw new RangeError(`${what}: ${values.length} values, not ${length}`);
  }
}
