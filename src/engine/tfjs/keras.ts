/** The deepest that a topology's values lie. */
export const DEPTH = 64;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Brings a topology as Keras 2 and 3 write it to the form that TensorFlow.js 4.22 reads, and keeps
 * of it what TensorFlow.js looks at. What it cannot make sense of stays as it is, and so does what
 * lies deeper than any topology's values.
 */
export function fromKeras(value: unknown, depth = 0): unknown {
  const inner = (each: unknown): unknown => fromKeras(each, depth + 1);
  if (depth > DEPTH) return value;
  if (Array.isArray(value)) return value.map(inner);
  if (!isObject(value)) return value;
  const { class_name, config } = value;
  if (typeof class_name !== 'string' || config === undefined) return mapped(value, inner);
  if (class_name.endsWith('DTypePolicy')) return 'float32';
  const { name, inbound_nodes } = value;
  const own = inner(config);
  return {
    class_name,
    config: isObject(own) ? settings(class_name, own) : own,
    ...(name !== undefined && { name }),
    ...(inbound_nodes !== undefined && { inbound_nodes: calls(inbound_nodes) }),
  };
}

/** A layer's or a model's config. */
function settings(className: string, config: JsonObject): JsonObject {
  const { batch_shape, negative_slope, input_layers, output_layers, ...rest } = config;
  const changed: JsonObject = {
    ...rest,
    ...(batch_shape !== undefined && { batch_input_shape: batch_shape }),
    ...(negative_slope !== undefined &&
      (className === 'LeakyReLU' ? { alpha: negative_slope } : { negative_slope })),
    ...(input_layers !== undefined && { input_layers: ends(input_layers) }),
    ...(output_layers !== undefined && { output_layers: ends(output_layers) }),
  };
  const { axis } = config;
  if (className === 'BatchNormalization' && Array.isArray(axis) && axis.length === 1) {
    return { ...changed, axis: axis[0] as unknown };
  }
  // Keras 2.15 says what a plain convolution's kernel would begin as, too.
  if (!className.startsWith('SeparableConv')) return changed;
  return Object.fromEntries(
    Object.entries(changed).filter(([key]) => !/^kernel_(?!size)/.test(key)),
  );
}

/** Keras 3 leaves the list out around a single end of a model. */
function ends(value: unknown): unknown {
  return Array.isArray(value) && typeof value[0] === 'string' ? [value] : value;
}

/** What a layer takes each time that it is called, which Keras 3 writes as a call's arguments. */
function calls(nodes: unknown): unknown {
  if (!Array.isArray(nodes)) return nodes;
  return nodes.map((node: unknown) => {
    if (!isObject(node) || !Array.isArray(node.args)) return node;
    const options = isObject(node.kwargs) ? given(node.kwargs) : {};
    return node.args.flat().map((tensor: unknown) => {
      const config = isObject(tensor) && isObject(tensor.config) ? tensor.config : {};
      const { keras_history } = config;
      return Array.isArray(keras_history) ? [...(keras_history as unknown[]), options] : tensor;
    });
  });
}

function given(options: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));
}

function mapped(object: JsonObject, change: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
