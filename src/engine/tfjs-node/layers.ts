import { DtrainError } from '../../errors.js';
import type { Conv2d, Padding, Pair, Pool2d } from '../../model/layers.js';
import type { PlacedLayer } from '../../model/model.js';
import { attrs, type GraphBuilder, type Tensor } from './graph.js';
import type { AttrValue } from './protobuf.js';

/** What a layer's nodes are made with. */
export interface LayerNodes {
  readonly graph: GraphBuilder;
  /** The number of samples. */
  readonly count: Tensor;
  readonly placed: PlacedLayer;
  readonly x: Tensor;
  readonly kernel: Tensor;
  readonly bias: Tensor;
}

/** A layer's output, and what follows backwards from the gradient `dy` of the loss by it. */
export interface LayerGraph {
  readonly y: Tensor;
  /** The gradient by the layer's input. */
  readonly dx: (dy: Tensor) => Tensor;
  /** The gradients by its kernel and its bias, of layers that have them. */
  readonly weights?: (dy: Tensor) => readonly [kernel: Tensor, bias: Tensor];
}

/** The nodes of a layer. @throws DtrainError MODEL_INVALID for a layer that is not known here */
export function layerGraph(nodes: LayerNodes): LayerGraph {
  const { graph, placed, x } = nodes;
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
    case 'flatten':
      return flatten(nodes);
    case 'relu': {
      const y = graph.float('Relu', [x]);
      return { y, dx: (dy) => graph.float('ReluGrad', [dy, y]) };
    }
    case 'tanh': {
      const y = graph.float('Tanh', [x]);
      return { y, dx: (dy) => graph.float('TanhGrad', [y, dy]) };
    }
    case 'sigmoid': {
      const y = graph.float('Sigmoid', [x]);
      return { y, dx: (dy) => graph.float('SigmoidGrad', [y, dy]) };
    }
    default:
      throw new DtrainError(
        'MODEL_INVALID',
        `The engine tfjs-node has no layer ${(layer as { type: string }).type}: use another engine.`,
      );
  }
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
