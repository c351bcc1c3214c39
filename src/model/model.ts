import { type Layer, type LossName, type ModelSpec, SAMPLE, type Shape } from './layers.js';
import { containedLayers } from './losses.js';
import { layerNames } from './names.js';
import { invalid, isExtent, outputShape, weightShapes } from './shapes.js';

/** One trainable array of a model and its place in the flat weights. */
export interface Parameter {
  /** As Keras names it: `conv2d_1/kernel`. */
  readonly name: string;
  /** Keras' layout: convolution [rows, columns, in, out], dense [in, out], bias [out]. */
  readonly shape: readonly number[];
  /** Index of its first value in the flat weights. */
  readonly offset: number;
  readonly size: number;
}

/** A layer with its name, inputs and shapes worked out. */
export interface PlacedLayer {
  readonly name: string;
  readonly layer: Layer;
  /** The layers whose outputs it takes; `SAMPLE` is the sample. */
  readonly inputs: readonly number[];
  /** Of each input. */
  readonly input: Shape;
  readonly output: Shape;
  readonly kernel?: Parameter;
  readonly bias?: Parameter;
}

/** A checked model. Its flat weights hold `parameters` in order, without gaps. */
export interface Model {
  readonly spec: ModelSpec;
  readonly loss: LossName;
  /** Each after its inputs; every one but the last is an input of another. */
  readonly layers: readonly PlacedLayer[];
  readonly parameters: readonly Parameter[];
  readonly parameterCount: number;
  /** As many as the model has outputs, but two for a single output. */
  readonly classes: number;
}

/** Values in an array of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

const LARGEST_WEIGHTS = 64 * 1024 * 1024;

/**
 * Checks a model and works out its names, inputs, shapes and weights' layout.
 * @throws DtrainError MODEL_INVALID, naming the layer, for what does not fit.
 */
export function buildModel(spec: ModelSpec): Model {
  const title = `model ${spec.name}`;
  if (!spec.input.every(isExtent)) {
    throw invalid(title, `input [${spec.input.join(', ')}] is not [rows, columns, channels]`);
  }
  const layers: PlacedLayer[] = [];
  const parameters: Parameter[] = [];
  const names = layerNames(spec.layers);
  let offset = 0;

  for (const [index, layer] of spec.layers.entries()) {
    const name = names[index] ?? '';
    const where = `layer ${index + 1} (${layer.type})`;
    if (names.indexOf(name) !== index) throw invalid(where, `another layer is named ${name} too`);
    const inputs = layer.inputs ?? [index - 1];
    const shapes = inputs.map((from) => {
      const shape = from === SAMPLE ? spec.input : layers[from]?.output;
      if (!shape) throw invalid(where, `its input ${from} is no layer before it`);
      return shape;
    });
    const output = outputShape(layer, shapes, where);
    const [input = output] = shapes;
    const [kernel, bias] = weightShapes(layer, input).map(([part, extents]) => {
      const parameter = { name: `${name}/${part}`, shape: extents, offset, size: sizeOf(extents) };
      offset += parameter.size;
      parameters.push(parameter);
      return parameter;
    });
    layers.push({
      name,
      layer,
      inputs,
      input,
      output,
      ...(kernel && { kernel }),
      ...(bias && { bias }),
    });
  }

  checkAllRead(layers);
  if (parameters.length === 0) throw invalid(title, 'it has no layer with weights to train');
  if (offset > LARGEST_WEIGHTS) {
    throw invalid(title, `${offset} parameters are more than the ${LARGEST_WEIGHTS} supported`);
  }
  const loss = spec.loss ?? 'softmaxCrossEntropy';
  const classes = classesOf(layers.at(-1), loss, title);
  return { spec, loss, layers, parameters, parameterCount: offset, classes };
}

function checkAllRead(layers: readonly PlacedLayer[]): void {
  const read = new Set(layers.flatMap(({ inputs }) => inputs));
  const unread = layers.findIndex((_, index) => index < layers.length - 1 && !read.has(index));
  const layer = layers[unread];
  if (layer)
    throw invalid(`layer ${unread + 1} (${layer.layer.type})`, 'no layer takes its output');
}

function classesOf(last: PlacedLayer | undefined, loss: LossName, title: string): number {
  const outputs = last?.output ?? [];
  const [count = 0] = outputs;
  if (outputs.length !== 1 || count < (loss === 'binaryCrossEntropy' ? 1 : 2)) {
    throw invalid(
      title,
      `the last layer's output must be flat, one value for each class, not [${outputs.join(', ')}]`,
    );
  }
  const contained = containedLayers[loss];
  if (last?.layer.type === contained) {
    throw invalid(title, `its loss ${loss} contains the ${contained} that it ends in`);
  }
  return count === 1 ? 2 : count;
}
