import type { ActivationName, Conv2d, Dense, Pool2d, Shape } from '../model/layers.js';
import { type Model, type Parameter, type PlacedLayer, windowAxis } from '../model/model.js';
import { type Border, NO_BORDER } from './kernels/planes.js';

interface Weights {
  readonly kernel: Parameter;
  readonly bias: Parameter;
}

interface Ends {
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
}

/** What the engine computes at once: a layer, with the activation and the pool that it takes in. */
export type Stage = Ends &
  (
    | ({
        readonly kind: 'convolution';
        readonly layer: Conv2d;
        readonly activation?: ActivationName;
        /** A max-pool whose windows do not overlap, and the convolution's own output before it. */
        readonly pool?: { readonly layer: Pool2d; readonly unpooled: Shape };
      } & Weights)
    | ({
        readonly kind: 'dense';
        readonly layer: Dense;
        readonly activation?: ActivationName;
      } & Weights)
    | { readonly kind: 'pool'; readonly layer: Pool2d }
    | { readonly kind: 'activation'; readonly activation: ActivationName }
  );

/** Cuts a model into stages. Flatten has none: it only says in which order a dense layer reads. */
export function stagesOf(model: Model): Stage[] {
  const stages: Stage[] = [];
  const layers = model.layers.filter(({ layer }) => layer.type !== 'flatten');
  let shape: Shape = model.spec.input;
  for (let index = 0; index < layers.length;) {
    const stage = stageAt(layers, index, shape);
    stages.push(stage.stage);
    shape = stage.stage.output;
    index += stage.layers;
  }
  return stages;
}

function stageAt(
  layers: readonly PlacedLayer[],
  index: number,
  input: Shape,
): { stage: Stage; layers: number } {
  const placed = layers[index];
  if (!placed) throw new Error(`There is no layer ${index}.`);
  const { layer, name, output } = placed;
  const ends = { name, input, output };
  switch (layer.type) {
    case 'conv2d': {
      const activation = activationOf(layers[index + 1]);
      const taken = activation ? 2 : 1;
      const after = layers[index + taken];
      const fused = {
        ...ends,
        kind: layer.type,
        layer,
        ...weightsOf(placed),
        ...(activation && { activation }),
      };
      if (after?.layer.type === 'maxPool2d' && !overlaps(after.layer)) {
        const pool = { layer: after.layer, unpooled: output };
        const stage: Stage = { ...fused, kind: 'convolution', output: after.output, pool };
        return { stage, layers: taken + 1 };
      }
      return { stage: { ...fused, kind: 'convolution' }, layers: taken };
    }
    case 'dense': {
      const activation = activationOf(layers[index + 1]);
      return {
        stage: {
          ...ends,
          kind: 'dense',
          layer,
          ...weightsOf(placed),
          ...(activation && { activation }),
        },
        layers: activation ? 2 : 1,
      };
    }
    case 'maxPool2d':
    case 'averagePool2d':
      return { stage: { ...ends, kind: 'pool', layer }, layers: 1 };
    case 'relu':
    case 'tanh':
    case 'sigmoid':
      // After a flatten the values still lie as they did before it.
      return {
        stage: { ...ends, output: input, kind: 'activation', activation: layer.type },
        layers: 1,
      };
    case 'flatten':
      throw new Error('A flatten layer is no stage.');
  }
}

function activationOf(placed: PlacedLayer | undefined): ActivationName | undefined {
  const type = placed?.layer.type;
  return type === 'relu' || type === 'tanh' || type === 'sigmoid' ? type : undefined;
}

function overlaps({ size, strides, padding }: Pool2d): boolean {
  return padding !== 'valid' || size[0] !== strides[0] || size[1] !== strides[1];
}

function weightsOf({ name, kernel, bias }: PlacedLayer): Weights {
  if (!kernel || !bias) throw new Error(`Layer ${name} has no weights.`);
  return { kernel, bias };
}

/** The zeros that a stage wants around its input. */
export function borderOf(stage: Stage | undefined): Border {
  if (stage?.kind !== 'convolution' || stage.input.length !== 3) return NO_BORDER;
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
