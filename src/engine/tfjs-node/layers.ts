import type { Conv2d, Padding, Pair, Pool2d } from '../../model/layers.js';
import type { PlacedLayer } from '../../model/model.js';
import { inputOf } from './dropouts.js';
import { attrs, type GraphBuilder, type Tensor } from './graph.js';
import type { AttrValue } from './protobuf.js';

/** What a layer's nodes are made with. */
export interface LayerNodes {
  readonly graph: GraphBuilder;
  /** The number of samples. */
  readonly count: Tensor;
  readonly placed: PlacedLayer;
  /** Of the layer in its model. */
  readonly place: number;
  /** The layer's inputs; all but an addition have one, which is also `x`. */
  readonly inputs: readonly Tensor[];
  readonly x: Tensor;
  readonly kernel: Tensor;
  readonly bias: Tensor;
}

/** A layer's output, and what follows backwards from the gradient `dy` of the loss by it. */
export interface LayerGraph {
  readonly y: Tensor;
  /** The gradient by the layer's input, or by each of its inputs. */
  readonly dx: (dy: Tensor) => Tensor;
  /** The gradients by its kernel and its bias, of layers that have them. */
  readonly weights?: (dy: Tensor) => readonly [kernel: Tensor, bias: Tensor];
}

/** The nodes of a layer. */
export function layerGraph(nodes: LayerNodes): LayerGraph {
  const { graph, placed, inputs, x } = nodes;
  const { layer } = placed;
  switch (layer.type) {
    case 'conv2d':
      return convolution(nodes, layer);
    case 'dense':
      return dense(nodes);
    case 'maxPool2d':
      return maxPool(nodes, layer);
    case 'averagePool2d':
      return averagePool(nodes, layer);
    case 'globalAveragePool2d':
      return globalAveragePool(nodes);
    case 'zeroPadding2d':
      return zeroPadding(nodes, layer.zeros);
    case 'flatten':
      return flatten(nodes);
    case 'add':
      return { y: graph.sum(inputs), dx: (dy) => dy };
    case 'relu':
      return activation(graph, x, 'Relu', (dy, y) => [dy, y]);
    case 'relu6':
      return activation(graph, x, 'Relu6', (dy, y) => [dy, y]);
    case 'tanh':
      return activation(graph, x, 'Tanh', (dy, y) => [y, dy]);
    case 'sigmoid':
      return activation(graph, x, 'Sigmoid', (dy, y) => [y, dy]);
    case 'leakyReLU':
      return leakyRelu(graph, x, layer.alpha);
    case 'elu': {
      // TensorFlow's has an alpha of 1.
      const one = activation(graph, x, 'Elu', (dy, y) => [dy, y]);
      const scaled = leakyRelu(graph, one.y, layer.alpha);
      return { y: scaled.y, dx: (dy) => one.dx(scaled.dx(dy)) };
    }
    case 'softmax':
      return softmax(graph, x);
    case 'dropout': {
      const factors = inputOf(nodes.place);
      const multiply = (values: Tensor): Tensor => graph.float('Mul', [values, factors]);
      return { y: multiply(x), dx: multiply };
    }
  }
}

/** @param inputs of the operation's gradient, whose order differs */
function activation(
  graph: GraphBuilder,
  x: Tensor,
  op: string,
  inputs: (dy: Tensor, y: Tensor) => Tensor[],
): LayerGraph {
  const y = graph.float(op, [x]);
  return { y, dx: (dy) => graph.float(`${op}Grad`, inputs(dy, y)) };
}

function leakyRelu(graph: GraphBuilder, x: Tensor, alpha: number): LayerGraph {
  const attributes = { alpha: { f: alpha } };
  const y = graph.float('LeakyRelu', [x], attributes);
  // By y, which has the sign of x, since TensorFlow fuses y with what makes x.
  return { y, dx: (dy) => graph.float('LeakyReluGrad', [dy, y], attributes) };
}

/** dx = y (dy - sum of y dy) */
function softmax(graph: GraphBuilder, x: Tensor): LayerGraph {
  const y = graph.float('Softmax', [x]);
  return {
    y,
    dx: (dy) => {
      const product = graph.float('Mul', [y, dy]);
      const sum = graph.reduce('Sum', product, [-1], true);
      return graph.float('Mul', [y, graph.float('Sub', [dy, sum])]);
    },
  };
}

function convolution(
  { graph, count, placed, x, kernel, bias }: LayerNodes,
  layer: Conv2d,
): LayerGraph {
  const { input } = placed;
  const attributes = window(layer.strides, layer.padding);
  const sizes = [...layer.kernel, input[2] ?? 0, layer.filters];
  const product = graph.float('Conv2D', [x, kernel], attributes);
  return {
    y: withBias(graph, product, bias),
    dx: (dy) =>
      graph.float('Conv2DBackpropInput', [graph.shape(count, input), kernel, dy], attributes),
    weights: (dy) => [
      graph.float('Conv2DBackpropFilter', [x, graph.integers(sizes), dy], attributes),
      biasGradient(graph, dy),
    ],
  };
}

function dense({ graph, x, kernel, bias }: LayerNodes): LayerGraph {
  const multiply = (a: Tensor, b: Tensor, transposed?: 'a' | 'b'): Tensor =>
    graph.float('MatMul', [a, b], {
      transpose_a: { b: transposed === 'a' },
      transpose_b: { b: transposed === 'b' },
    });
  return {
    y: withBias(graph, multiply(x, kernel), bias),
    dx: (dy) => multiply(dy, kernel, 'b'),
    weights: (dy) => [multiply(x, dy, 'a'), biasGradient(graph, dy)],
  };
}

function maxPool({ graph, x }: LayerNodes, layer: Pool2d): LayerGraph {
  const attributes = pooling(layer);
  const y = graph.float('MaxPool', [x], attributes);
  return { y, dx: (dy) => graph.float('MaxPoolGrad', [x, y, dy], attributes) };
}

function averagePool({ graph, count, placed, x }: LayerNodes, layer: Pool2d): LayerGraph {
  const attributes = pooling(layer);
  return {
    y: graph.float('AvgPool', [x], attributes),
    dx: (dy) => graph.float('AvgPoolGrad', [graph.shape(count, placed.input), dy], attributes),
  };
}

function globalAveragePool({ graph, count, placed, x }: LayerNodes): LayerGraph {
  const [rows, columns = 0, channels = 0] = placed.input;
  return {
    y: graph.reduce('Mean', x, [1, 2], false),
    dx: (dy) => {
      const share = graph.float('Mul', [dy, graph.scalar(1 / (rows * columns))]);
      const each = graph.reshape(share, graph.shape(count, [1, 1, channels]));
      return graph.float('BroadcastTo', [each, graph.shape(count, placed.input)], {
        Tidx: attrs.int32,
      });
    },
  };
}

function zeroPadding(
  { graph, placed, x }: LayerNodes,
  [[top, bottom], [left, right]]: readonly [Pair, Pair],
): LayerGraph {
  const zeros = graph.integers([0, 0, top, bottom, left, right, 0, 0], [4, 2]);
  return {
    y: graph.float('Pad', [x, zeros], { Tpaddings: attrs.int32 }),
    dx: (dy) => {
      const sizes = graph.integers([-1, ...placed.input]);
      return graph.float('Slice', [dy, graph.integers([0, top, left, 0]), sizes], {
        Index: attrs.int32,
      });
    },
  };
}

function flatten({ graph, count, placed, x }: LayerNodes): LayerGraph {
  return {
    y: graph.reshape(x, graph.shape(count, placed.output)),
    dx: (dy) => graph.reshape(dy, graph.shape(count, placed.input)),
  };
}

function withBias(graph: GraphBuilder, sum: Tensor, bias: Tensor): Tensor {
  return graph.float('BiasAdd', [sum, bias], { data_format: attrs.nhwc });
}

function biasGradient(graph: GraphBuilder, dy: Tensor): Tensor {
  return graph.float('BiasAddGrad', [dy], { data_format: attrs.nhwc });
}

function pooling({ size, strides, padding }: Pool2d): Record<string, AttrValue> {
  return { ksize: attrs.integers(1, ...size, 1), ...window(strides, padding) };
}

function window(strides: Pair, padding: Padding): Record<string, AttrValue> {
  return {
    strides: attrs.integers(1, ...strides, 1),
    padding: attrs.text(padding.toUpperCase()),
    data_format: attrs.nhwc,
  };
}
