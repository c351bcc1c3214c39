import type { Model } from '../../model/model.js';
import { attrs, type GraphBuilder, type Tensor } from './graph.js';
import { dataTypes } from './protobuf.js';

/** What a model's outputs are held to be worth; `losses` in model/layers.ts has the formulas. */
export interface LossGraph {
  /** Of each sample. */
  readonly losses: Tensor;
  readonly classes: Tensor;
  /** The gradient of the losses' sum by the outputs. */
  readonly gradient: Tensor;
}

export function lossGraph(
  graph: GraphBuilder,
  model: Model,
  outputs: Tensor,
  labels: Tensor,
): LossGraph {
  const count = model.layers.at(-1)?.output[0] ?? 1;
  const classes = count === 1 ? positive(graph, outputs) : greatest(graph, outputs);
  if (model.loss === 'softmaxCrossEntropy') {
    const losses = graph.float('SparseSoftmaxCrossEntropyWithLogits', [outputs, labels], {
      Tlabels: attrs.int32,
    });
    return { losses, classes, gradient: `${losses}:1` };
  }
  const target = targets(graph, labels, count);
  const per = (factor: number, values: Tensor): Tensor =>
    graph.float('Mul', [values, graph.scalar(factor / count)]);
  const mean = (values: Tensor): Tensor => graph.reduce('Mean', values, [1], false);
  if (model.loss === 'meanSquaredError') {
    const difference = graph.float('Sub', [outputs, target]);
    const losses = mean(graph.float('Square', [difference]));
    return { losses, classes, gradient: per(2, difference) };
  }
  // log(1 + exp(z)) - t z, whose derivative is sigmoid(z) - t
  const product = graph.float('Mul', [outputs, target]);
  const losses = mean(graph.float('Sub', [graph.float('Softplus', [outputs]), product]));
  const difference = graph.float('Sub', [graph.float('Sigmoid', [outputs]), target]);
  return { losses, classes, gradient: per(1, difference) };
}

/** One-hot, or the class itself where there is a single output. */
function targets(graph: GraphBuilder, labels: Tensor, count: number): Tensor {
  if (count === 1) {
    const column = graph.node('Reshape', [labels, graph.integers([-1, 1])], {
      T: attrs.int32,
      Tshape: attrs.int32,
    });
    return graph.node('Cast', [column], { SrcT: attrs.int32, DstT: attrs.float });
  }
  const inputs = [labels, graph.integers(count), graph.scalar(1), graph.scalar(0)];
  return graph.float('OneHot', inputs, { TI: attrs.int32, axis: { i: -1 } });
}

function greatest(graph: GraphBuilder, outputs: Tensor): Tensor {
  return graph.float('ArgMax', [outputs, graph.integers(1)], {
    Tidx: attrs.int32,
    output_type: attrs.int32,
  });
}

function positive(graph: GraphBuilder, outputs: Tensor): Tensor {
  const column = graph.reshape(outputs, graph.integers([-1]));
  const yes = graph.float('Greater', [column, graph.scalar(0)]);
  return graph.node('Cast', [yes], { SrcT: { type: dataTypes.bool }, DstT: attrs.int32 });
}
