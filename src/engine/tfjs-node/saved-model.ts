import { SAMPLE } from '../../model/layers.js';
import type { Model } from '../../model/model.js';
import { attrs, GraphBuilder, type Tensor } from './graph.js';
import { dropoutsOf } from './dropouts.js';
import { layerGraph, type LayerGraph } from './layers.js';
import { lossGraph } from './loss.js';
import { dataTypes, encodeSavedModel, type SignatureDef } from './protobuf.js';

/** The version of TensorFlow's graph format: that of TensorFlow 2.9. */
const GRAPH_VERSION = 1087;

/** The tag and the signatures of the SavedModel. */
export const TAG = 'dtrain';
export const signatures = { gradients: 'gradients', evaluate: 'evaluate' } as const;

/**
 * A model and its gradients as a SavedModel without variables. Inputs: `weights`, flat, in the
 * model's order; `samples`, flat, one after the other; `labels`; `count` of samples. Of `gradients`
 * the outputs are the sums over the samples of `loss`, `correct` answers and `gradient` by the
 * weights, flat; of `evaluate`, each sample's `losses` and `classes`. `gradients` also takes
 * the factors of each dropout layer, [samples, ...shape].
 */
export function savedModel(model: Model): Uint8Array {
  const graph = new GraphBuilder();
  const inputs = {
    weights: graph.input('weights', attrs.float),
    samples: graph.input('samples', attrs.float),
    labels: graph.input('labels', attrs.int32),
    count: graph.input('count', attrs.int32),
  };
  const factors = Object.fromEntries(
    dropoutsOf(model).map(({ input }) => [input, graph.inputOrOne(input)]),
  );
  const layers = forward(graph, model, inputs);
  const outputs = layers.at(-1)?.y ?? inputs.samples;
  const { losses, classes, gradient } = lossGraph(graph, model, outputs, inputs.labels);
  const right = graph.node('Equal', [classes, inputs.labels], { T: attrs.int32 });
  const correct = graph.node('Cast', [right], {
    SrcT: { type: dataTypes.bool },
    DstT: attrs.float,
  });
  const total = (values: Tensor): Tensor => graph.reduce('Sum', values, [0], false);
  const signature = (taken: Tensors, results: Tensors): SignatureDef => ({
    inputs: infos(taken),
    outputs: infos(results),
    methodName: 'tensorflow/serving/predict',
  });
  const sums = {
    loss: total(losses),
    correct: total(correct),
    gradient: backward(graph, model, layers, gradient),
  };
  return encodeSavedModel({
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: [TAG] },
        graphDef: { node: graph.nodes, versions: { producer: GRAPH_VERSION } },
        signatureDef: {
          [signatures.gradients]: signature({ ...inputs, ...factors }, sums),
          [signatures.evaluate]: signature(inputs, { losses, classes }),
        },
      },
    ],
  });
}

type Tensors = Readonly<Record<string, Tensor>>;

function forward(
  graph: GraphBuilder,
  model: Model,
  { weights, samples, count }: Record<'weights' | 'samples' | 'count', Tensor>,
): LayerGraph[] {
  const { parameters, spec } = model;
  const sizes = graph.integers(parameters.map(({ size }) => size));
  const split = graph.float('SplitV', [weights, sizes, graph.integers(0)], {
    Tlen: attrs.int32,
    num_split: { i: parameters.length },
  });
  const parameter = new Map(
    parameters.map(({ name, shape }, index) => [
      name,
      graph.reshape(`${split}:${index}`, graph.integers(shape)),
    ]),
  );
  const sample = graph.reshape(samples, graph.shape(count, spec.input));
  const layers: LayerGraph[] = [];
  for (const [place, placed] of model.layers.entries()) {
    const inputs = placed.inputs.map((from) => layers[from]?.y ?? sample);
    const [x = sample] = inputs;
    const kernel = parameter.get(placed.kernel?.name ?? '') ?? '';
    const bias = parameter.get(placed.bias?.name ?? '') ?? '';
    layers.push(layerGraph({ graph, count, placed, place, inputs, x, kernel, bias }));
  }
  return layers;
}

/** The flat gradient by the weights, from the gradient by the last layer's output. */
function backward(
  graph: GraphBuilder,
  model: Model,
  layers: readonly LayerGraph[],
  last: Tensor,
): Tensor {
  const hasWeights = weightsUpTo(model);
  const arriving: Tensor[][] = layers.map(() => []);
  arriving.at(-1)?.push(last);
  const gradients: Tensor[] = [];
  for (let index = layers.length - 1; index >= 0; index--) {
    const layer = layers[index];
    if (!layer || !hasWeights[index]) continue;
    const dy = graph.sum(arriving[index] ?? []);
    gradients.unshift(...(layer.weights?.(dy) ?? []));
    // What is before the first weights needs no gradient.
    const before = (model.layers[index]?.inputs ?? []).filter((from) => hasWeights[from]);
    if (before.length === 0) continue;
    const dx = layer.dx(dy);
    for (const from of before) arriving[from]?.push(dx);
  }
  const flat = gradients.map((each) => graph.reshape(each, graph.integers([-1])));
  return graph.node('ConcatV2', [...flat, graph.integers(0)], {
    N: { i: flat.length },
    T: attrs.float,
    Tidx: attrs.int32,
  });
}

/** Whether each layer, or one whose output reaches it, has weights. */
function weightsUpTo({ layers }: Model): boolean[] {
  const known: boolean[] = [];
  for (const { kernel, inputs } of layers) {
    known.push(kernel !== undefined || inputs.some((from) => from !== SAMPLE && known[from]));
  }
  return known;
}

function infos(tensors: Tensors): SignatureDef['inputs'] {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const dtype = ['labels', 'count', 'classes'].includes(name)
        ? dataTypes.int32
        : dataTypes.float;
      const output = tensor.includes(':') ? tensor : `${tensor}:0`;
      return [name, { name: output, dtype, tensorShape: { dim: [] } }];
    }),
  );
}
