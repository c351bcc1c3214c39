import {
  type Activation,
  type Conv2d,
  type Dense,
  type Dropout,
  isActivation,
  type Layer,
  type Pair,
  type Pool2d,
  SAMPLE,
  type Shape,
} from '../model/layers.js';
import { type Model, type Parameter, type PlacedLayer, sizeOf } from '../model/model.js';
import { windowAxis } from '../model/shapes.js';
import { type Border, NO_BORDER } from './kernels/planes.js';

interface Weights {
  readonly kernel: Parameter;
  readonly bias: Parameter;
}

interface Ends {
  readonly name: string;
  /** The stages whose values it takes; `SAMPLE` is the sample. */
  readonly inputs: readonly number[];
  /** Shapes as the values lie in memory: a flat one may still lie as the image that it was. */
  readonly input: Shape;
  readonly output: Shape;
}

type Kind =
  | ({
      readonly kind: 'convolution';
      readonly layer: Conv2d;
      readonly activation?: Activation;
      /** A max-pool whose windows do not overlap, and the convolution's own output before it. */
      readonly pool?: { readonly layer: Pool2d; readonly unpooled: Shape };
    } & Weights)
  | ({ readonly kind: 'dense'; readonly layer: Dense; readonly activation?: Activation } & Weights)
  | { readonly kind: 'pool'; readonly layer: Pool2d }
  | { readonly kind: 'activation'; readonly activation: Activation }
  /** `draw` tells its random numbers from those of other layers. */
  | { readonly kind: 'dropout'; readonly layer: Dropout; readonly draw: number }
  | { readonly kind: 'zeroPadding'; readonly zeros: readonly [Pair, Pair] }
  | { readonly kind: 'softmax' }
  | { readonly kind: 'globalPool' }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'add' };

/** What the engine computes at once: a layer, with the activation and the pool that it takes in. */
export type Stage = Ends & Kind;

/**
 * Cuts a model into stages, the last of which has the model's outputs. Flatten is none where
 * nothing but a dense layer cares for the order of values, since that can read them in any.
 */
export function stagesOf({ spec, layers }: Model): Stage[] {
  const stages: Stage[] = [];
  const stageOf = new Map([[SAMPLE, SAMPLE]]);
  const lyingAs = (stage: number): Shape => stages[stage]?.output ?? spec.input;
  const flattened = (stage: number, name: string): number => {
    const input = lyingAs(stage);
    if (input.length === 1) return stage;
    const output = [sizeOf(input)] as const;
    return stages.push({ kind: 'flatten', name, inputs: [stage], input, output }) - 1;
  };

  layers.forEach((placed, index) => {
    if (stageOf.has(index)) return;
    let inputs = placed.inputs.map((from) => stageOf.get(from) ?? SAMPLE);
    const [first = SAMPLE] = inputs;
    if (placed.layer.type === 'flatten') {
      stageOf.set(index, first);
      return;
    }
    if (needsOrder(placed.layer, placed.input) || differ(inputs.map(lyingAs))) {
      inputs = inputs.map((from) => flattened(from, `${placed.name}_flat`));
    }
    const input = lyingAs(inputs[0] ?? SAMPLE);
    const taken = [index, ...takenIn(layers, index)];
    stages.push({ name: placed.name, inputs, input, ...stageAt(layers, taken, input) });
    for (const each of taken) stageOf.set(each, stages.length - 1);
  });
  flattened(stages.length - 1, 'outputs');
  return stages;
}

/** Whether it matters to a layer in which order flat values lie. */
function needsOrder({ type }: Layer, input: Shape): boolean {
  return input.length === 1 && (type === 'softmax' || type === 'dropout');
}

function differ(shapes: readonly Shape[]): boolean {
  return shapes.some((shape) => String(shape) !== String(shapes[0]));
}

/** The layers that are computed with the one at `index`: its activation, and the pool behind it. */
function takenIn(layers: readonly PlacedLayer[], index: number): number[] {
  const type = layers[index]?.layer.type;
  if (type !== 'conv2d' && type !== 'dense') return [];
  const reader = soleReader(layers, index);
  const taken = isActivation(layers[reader]?.layer) ? [reader] : [];
  const after = soleReader(layers, taken[0] ?? index);
  const pool = layers[after]?.layer;
  return type === 'conv2d' && pool?.type === 'maxPool2d' && !overlaps(pool)
    ? [...taken, after]
    : taken;
}

/** The only layer that takes a layer's output, or what it becomes by flattening; -1 if none. */
function soleReader(layers: readonly PlacedLayer[], index: number): number {
  const readers = layers.flatMap(({ inputs }, reader) =>
    inputs.filter((from) => from === index).map(() => reader),
  );
  const [reader = -1] = readers;
  if (readers.length !== 1) return -1;
  return layers[reader]?.layer.type === 'flatten' ? soleReader(layers, reader) : reader;
}

/** A stage of the layers at `taken`, whose input lies in memory as `input`. */
function stageAt(
  layers: readonly PlacedLayer[],
  taken: readonly number[],
  input: Shape,
): Kind & Pick<Stage, 'output'> {
  const [placed, ...others] = taken.flatMap((index) => layers[index] ?? []);
  if (!placed) throw new Error('There is no such layer.');
  const { layer, output } = placed;
  const activation = others.map((other) => other.layer).find(isActivation);
  const fused = activation && { activation };
  switch (layer.type) {
    case 'conv2d': {
      const convolution = { kind: 'convolution', layer, ...weightsOf(placed), ...fused } as const;
      const after = others.at(-1);
      if (after?.layer.type !== 'maxPool2d') return { ...convolution, output };
      const pool = { layer: after.layer, unpooled: output };
      return { ...convolution, output: after.output, pool };
    }
    case 'dense':
      return { kind: 'dense', layer, ...weightsOf(placed), ...fused, output };
    case 'maxPool2d':
    case 'averagePool2d':
      return { kind: 'pool', layer, output };
    case 'zeroPadding2d':
      return { kind: 'zeroPadding', zeros: layer.zeros, output };
    case 'globalAveragePool2d':
      return { kind: 'globalPool', output };
    // What these make lies as what they take.
    case 'add':
      return { kind: 'add', output: input };
    case 'softmax':
      return { kind: 'softmax', output: input };
    case 'dropout':
      return { kind: 'dropout', layer, draw: taken[0] ?? 0, output: input };
    case 'flatten':
      throw new Error('A flatten layer is no stage.');
    default:
      return { kind: 'activation', activation: layer, output: input };
  }
}

function overlaps({ size, strides, padding }: Pool2d): boolean {
  return padding !== 'valid' || size[0] !== strides[0] || size[1] !== strides[1];
}

function weightsOf({ name, kernel, bias }: PlacedLayer): Weights {
  if (!kernel || !bias) throw new Error(`Layer ${name} has no weights.`);
  return { kernel, bias };
}

/** The zeros that a stage wants around its input. */
export function borderOf(stage: Stage): Border {
  if (stage.kind !== 'convolution' || stage.input.length !== 3) return NO_BORDER;
  const { kernel, strides, padding } = stage.layer;
  const [rows, columns] = [0, 1].map((axis) => {
    const cells = stage.input[axis] ?? 0;
    const size = kernel[axis] ?? 1;
    const stride = strides[axis] ?? 1;
    const { outputs, before } = windowAxis(cells, size, stride, padding);
    return { before, after: Math.max(0, (outputs - 1) * stride + size - cells - before) };
  });
  if (!rows || !columns || padding === 'valid') return NO_BORDER;
  return { top: rows.before, left: columns.before, bottom: rows.after, right: columns.after };
}

/** The zeros around a stage's value, or around the sample: enough for all stages that take it. */
export function borderAround(stages: readonly Stage[], value: number): Border {
  const borders = stages.filter(({ inputs }) => inputs.includes(value)).map(borderOf);
  const most = (side: keyof Border): number => Math.max(0, ...borders.map((each) => each[side]));
  return { top: most('top'), left: most('left'), bottom: most('bottom'), right: most('right') };
}
