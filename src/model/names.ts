import { isActivation, type Layer } from './layers.js';

const kerasNames: Partial<Record<Layer['type'], string>> = {
  maxPool2d: 'max_pooling2d',
  averagePool2d: 'average_pooling2d',
  globalAveragePool2d: 'global_average_pooling2d',
  zeroPadding2d: 'zero_padding2d',
};

/** What Keras would call each of a model's layers: `conv2d_1`, `conv2d_2`, … */
export function kerasNamesOf(layers: readonly Layer[]): string[] {
  const counts = new Map<string, number>();
  return layers.map((layer) => {
    const kind = isActivation(layer) ? 'activation' : (kerasNames[layer.type] ?? layer.type);
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return `${kind}_${count}`;
  });
}

/** The layers' names: their own, and where they have none, Keras' unless that is another's. */
export function layerNames(layers: readonly Layer[]): string[] {
  const taken = new Set(layers.map(({ name }) => name));
  return kerasNamesOf(layers).map((keras, index) => {
    const own = layers[index]?.name;
    if (own !== undefined) return own;
    let name = keras;
    while (taken.has(name)) name += '_';
    return name;
  });
}
