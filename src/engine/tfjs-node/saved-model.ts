import { DtrainError } from '../../errors.js';
import type { Model } from '../../model/model.js';
import { attrs, GraphBuilder, type Tensor } from './graph.js';
import { layerGraph, type LayerGraph } from './layers.js';
import { dataTypes, encodeSavedModel, type SignatureDef } from './protobuf.js';

/** The graph format that TensorFlow 2.9 and later write. */
const GRAPH_VERSION = 1087;

/** The tags and signatures of the SavedModel. */
export const TAG = 'dtrain';
export const signatures = { gradients: 'gradients', evaluate: 'evaluate' } as const;

/**
 * A model and its gradients as a SavedModel without variables. Inputs: `weights`, flat, in the
 * model's order; `samples`, flat, as the model's first layer takes them; `labels`; `count` of
 * samples. Of `gradients` the outputs are the sums over the samples of `loss`, `correct` answers and
 * `gradient` by the weights, flat; of `evaluate`, each sample's `losses` and `classes`.
 */
export function savedModel(model: Model): Uint8Array {
  if (model.loss !== 'softmaxCrossEntropy') {
    throw new DtrainError('MODEL_INVALID', `The engine tfjs-node has no loss ${model.loss}.`);
  }
  const graph = new GraphBuilder();
  const inputs = {
    weights: graph.input('weights', attrs.float),
    samples: graph.input('samples', attrs.float),
    labels: graph.input('labels', attrs.int32),
    count: graph.input('count', attrs.int32),
  };
  const layers = forward(graph, model, inputs);
  const logits = layers.at(-1)?.y ?? inputs.samples;
  const entropy = graph.float('SparseSoftmaxCrossEntropyWithLogits', [logits, inputs.labels], {
    Tlabels: attrs.int32,
  });
  const classes = graph.float('ArgMax', [logits, graph.integers(1)], {
    Tidx: attrs.int32,
    output_type: attrs.int32,
  });
  const right = graph.node('Equal', [classes, inputs.labels], { T: attrs.int32 });
  const correct = graph.node('Cast', [right], { SrcT: { type: BOOL }, DstT: attrs.float });
  const total = (values: Tensor): Tensor =>
    graph.float('Sum', [values, graph.integers([0])], { Tidx: attrs.int32 });
  const gradient = backward(graph, layers, `${entropy}:1`);
  const signature = (outputs: Readonly<Record<string, Tensor>>): SignatureDef => ({
    inputs: infos(inputs),
    outputs: infos(outputs),
    methodName: 'tensorflow/serving/predict',
  });
  return encodeSavedModel({
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: [TAG] },
        graphDef: { node: graph.nodes, versions: { producer: GRAPH_VERSION } },
        signatureDef: {
          [signatures.gradients]: signature({
            loss: total(entropy),
            correct: total(correct),
            gradient,
          }),
          [signatures.evaluate]: signature({ losses: entropy, classes }),
        },
      },
    ],
  });
}

const BOOL = 10;

function forward(
  graph: GraphBuilder,
  model: Model,
  { weights, samples, count }: Record<'weights' | 'samples' | 'count', Tensor>,
): LayerGraph[] {
  const { parameters, layers, spec } = model;
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
  let x = graph.reshape(samples, graph.shape(count, spec.input));
  return layers.map((placed) => {
    const kernel = parameter.get(placed.kernel?.name ?? '') ?? '';
    const bias = parameter.get(placed.bias?.name ?? '') ?? '';
    const layer = layerGraph({ graph, count, placed, x, kernel, bias });
    x = layer.y;
    return layer;
  });
}

/** The flat gradient by the weights, from the gradient by the last layer's output. */
function backward(graph: GraphBuilder, layers: readonly LayerGraph[], last: Tensor): Tensor {
  const first = layers.findIndex(({ weights }) => weights);
  const gradients: Tensor[] = [];
  let dy = last;
  for (let index = layers.length - 1; index >= first; index--) {
    const layer = layers[index];
    if (!layer) break;
    gradients.unshift(...(layer.weights?.(dy) ?? []));
    // What is before the first weights needs no gradient.
    if (index > first) dy = layer.dx(dy);
  }
  const flat = gradients.map((each) => graph.reshape(each, graph.integers([-1])));
  return graph.node('ConcatV2', [...flat, graph.integers(0)], {
    N: { i: flat.length },
    T: attrs.float,
    Tidx: attrs.int32,
  });
}

function infos(tensors: Readonly<Record<string, Tensor>>): SignatureDef['inputs'] {
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
