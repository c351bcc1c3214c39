import { DtrainError } from '../errors.js';
import type { Layer, Padding, Pair, Shape } from './layers.js';

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
const LARGEST_ALPHA = 1e6;

/**
 * The shape of what a layer makes of its inputs.
 * @param where what a message calls the layer
 * @throws DtrainError MODEL_INVALID for inputs or a layer that do not fit
 */
export function outputShape(layer: Layer, inputs: readonly Shape[], where: string): Shape {
  const [input, ...others] = inputs;
  if (!input) throw invalid(where, 'it has no input');
  if (layer.type === 'add') return sumShape(input, others, where);
  if (others.length > 0) throw invalid(where, `it takes one input, not ${inputs.length}`);
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
    case 'globalAveragePool2d':
      return [imageOf(where, input)[2]];
    case 'zeroPadding2d': {
      const [rows, columns, channels] = imageOf(where, input);
      const [[top, bottom], [left, right]] = layer.zeros;
      if (![top, bottom, left, right].every((zeros) => zeros === 0 || isExtent(zeros))) {
        throw invalid(where, `zeros must be whole numbers from 0 to ${LARGEST_EXTENT}`);
      }
      const padded = [rows + top + bottom, columns + left + right] as const;
      checkExtents(where, 'padded rows and columns', padded);
      return [...padded, channels];
    }
    case 'leakyReLU':
    case 'elu':
      if (!(layer.alpha >= 0 && layer.alpha <= LARGEST_ALPHA)) {
        throw invalid(where, `alpha must be 0 or more, not ${layer.alpha}`);
      }
      return input;
    case 'relu':
    case 'relu6':
    case 'tanh':
    case 'sigmoid':
    case 'softmax':
      return input;
    case 'dropout':
      if (!(layer.rate >= 0 && layer.rate < 1)) {
        throw invalid(where, `rate must be 0 or more and less than 1, not ${layer.rate}`);
      }
      return input;
    case 'flatten':
      return input.length === 1 ? input : [input[0] * input[1] * input[2]];
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

/** The shapes of a layer's weights, by what they are. */
export function weightShapes(layer: Layer, input: Shape): [string, readonly number[]][] {
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

function sumShape(input: Shape, others: readonly Shape[], where: string): Shape {
  if (others.length === 0) throw invalid(where, 'it takes two inputs or more');
  const other = others.find((shape) => String(shape) !== String(input));
  if (other) {
    throw invalid(where, `it cannot add [${input.join(', ')}] and [${other.join(', ')}]`);
  }
  return input;
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

/** Whether a shape may have such an extent. */
export function isExtent(value: number): boolean {
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

/** MODEL_INVALID: "`where`: `problem`." */
export function invalid(where: string, problem: string): DtrainError {
  return new DtrainError('MODEL_INVALID', `${where}: ${problem}.`);
}
