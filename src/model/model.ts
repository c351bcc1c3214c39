import { DtrainError } from '../errors.js';
import type { Layer, ModelSpec, Pair, Padding, Shape } from './layers.js';

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

/** A layer with its name and shapes worked out. */
export interface PlacedLayer {
  readonly name: string;
  readonly layer: Layer;
  readonly input: Shape;
  readonly output: Shape;
  readonly kernel?: Parameter;
  readonly bias?: Parameter;
}

/** A checked model. Its flat weights hold `parameters` in order, without gaps. */
export interface Model {
  readonly spec: ModelSpec;
  readonly layers: readonly PlacedLayer[];
  readonly parameters: readonly Parameter[];
  readonly parameterCount: number;
  readonly classes: number;
}

/** Values in an array of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** What one axis of a window costs: the outputs it has and the zeros before its first input. */
export interface WindowAxis {
  readonly outputs: number;
  readonly before: number;
}

/**
 * TensorFlow's padding arithmetic along one axis: `valid` has ceil((input - size + 1) / stride)
 * outputs and no padding; `same` has ceil(input / stride), with the odd zero at the end.
 */
export function windowAxis(
  input: number,
  size: number,
  stride: number,
  padding: Padding,
): WindowAxis {
  if (padding === 'valid') {
    return { outputs: Math.ceil((input - size + 1) / stride), before: 0 };
  }
  const outputs = Math.ceil(input / stride);
  const total = Math.max(0, (outputs - 1) * stride + size - input);
  return { outputs, before: Math.floor(total / 2) };
}

const LARGEST_EXTENT = 65_536;
const LARGEST_WEIGHTS = 64 * 1024 * 1024;

/**
 * Checks a model and works out its names, shapes and weights' layout.
 * @throws DtrainError MODEL_INVALID, naming the layer, for a shape that does not fit.
 */
export function buildModel(spec: ModelSpec): Model {
  if (!spec.input.every(isExtent)) {
    throw invalid(
      `model ${spec.name}`,
      `input [${spec.input.join(', ')}] is not [rows, columns, channels]`,
    );
  }
  const layers: PlacedLayer[] = [];
  const parameters: Parameter[] = [];
  const counts = new Map<string, number>();
  let shape: Shape = spec.input;
  let offset = 0;

  for (const [index, layer] of spec.layers.entries()) {
    const kind = kerasName(layer);
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const name = `${kind}_${count}`;
    const where = `layer ${index + 1} (${layer.type})`;
    const output = outputShape(layer, shape, where);
    const weights = weightShapes(layer, shape).map(([part, extents]) => {
      const parameter = { name: `${name}/${part}`, shape: extents, offset, size: sizeOf(extents) };
      offset += parameter.size;
      parameters.push(parameter);
      return parameter;
    });
    const [kernel, bias] = weights;
    layers.push({
      name,
      layer,
      input: shape,
      output,
      ...(kernel && { kernel }),
      ...(bias && { bias }),
    });
    shape = output;
  }

  const last = spec.layers.at(-1);
  if (last?.type !== 'dense' || last.units < 2) {
    throw invalid(
      `model ${spec.name}`,
      'the last layer must be dense with 2 units or more, one for each class',
    );
  }
  if (offset > LARGEST_WEIGHTS) {
    throw invalid(
      `model ${spec.name}`,
      `${offset} parameters are more than the ${LARGEST_WEIGHTS} supported`,
    );
  }
  return { spec, layers, parameters, parameterCount: offset, classes: last.units };
}

function outputShape(layer: Layer, input: Shape, where: string): Shape {
  switch (layer.type) {
    case 'conv2d':
      checkExtents(where, 'filters', [layer.filters]);
      return [
        ...windowOutputs(where, layer.kernel, layer.strides, layer.padding, input),
        layer.filters,
      ];
    case 'maxPool2d':
    case 'averagePool2d':
      return [
        ...windowOutputs(where, layer.size, layer.strides, layer.padding, input),
        imageOf(where, input)[2],
      ];
    case 'relu':
    case 'tanh':
    case 'sigmoid':
      return input;
    case 'flatten':
      return [sizeOf(input)];
    case 'dense':
      checkExtents(where, 'units', [layer.units]);
      if (input.length !== 1) {
        throw invalid(where, `its input is [${input.join(', ')}]; put a flatten layer before it`);
      }
      return [layer.units];
    default:
      throw invalid(where, 'there is no such layer type');
  }
}

function windowOutputs(
  where: string,
  size: Pair,
  strides: Pair,
  padding: Padding,
  input: Shape,
): Pair {
  const [rows, columns] = imageOf(where, input);
  checkExtents(where, 'window', size);
  checkExtents(where, 'strides', strides);
  const outputs: Pair = [
    windowAxis(rows, size[0], strides[0], padding).outputs,
    windowAxis(columns, size[1], strides[1], padding).outputs,
  ];
  if (outputs[0] < 1 || outputs[1] < 1) {
    throw invalid(
      where,
      `its ${size.join('x')} window does not fit in the ${rows}x${columns} input`,
    );
  }
  return outputs;
}

function imageOf(where: string, input: Shape): readonly [number, number, number] {
  if (input.length !== 3) {
    throw invalid(where, `its input is flat (${input[0]} features), not [rows, columns, channels]`);
  }
  return input;
}

function weightShapes(layer: Layer, input: Shape): [string, readonly number[]][] {
  if (layer.type === 'conv2d') {
    const channels = input[2] ?? 0;
    return [
      ['kernel', [...layer.kernel, channels, layer.filters]],
      ['bias', [layer.filters]],
    ];
  }
  if (layer.type === 'dense') {
    return [
      ['kernel', [input[0], layer.units]],
      ['bias', [layer.units]],
    ];
  }
  return [];
}

function kerasName(layer: Layer): string {
  switch (layer.type) {
    case 'maxPool2d':
      return 'max_pooling2d';
    case 'averagePool2d':
      return 'average_pooling2d';
    case 'relu':
    case 'tanh':
    case 'sigmoid':
      return 'activation';
    default:
      return layer.type;
  }
}

function isExtent(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= LARGEST_EXTENT;
}

function checkExtents(where: string, what: string, values: readonly number[]): void {
  if (!values.every(isExtent)) {
    throw invalid(
      where,
      `${what} must be whole numbers from 1 to ${LARGEST_EXTENT}, not ${values.join(', ')}`,
    );
  }
}

function invalid(where: string, problem: string): DtrainError {
  return new DtrainError('MODEL_INVALID', `${where}: ${problem}.`);
}
