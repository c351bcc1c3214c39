import { z } from 'zod';

/** Layers whose variables belong to a cell of theirs. */
const CELLS: readonly string[] = ['LSTM', 'GRU', 'SimpleRNN'];

/** Folders that say what is in them. */
const FOLDERS: readonly string[] = ['layers', '_layer_checkpoint_dependencies', 'vars'];

const layer = z.object({
  class_name: z.string(),
  config: z.object({ name: z.string(), layers: z.array(z.unknown()).optional() }),
});

/**
 * Where a `.keras` file has each layer's variables, by the layer's name. Keras goes by classes there,
 * in the order of the layers: `conv2d`, `conv2d_1`; those of a model within the model follow its own
 * place, `functional/dense`.
 * @param layers of a model's config
 */
export function kerasPlaces(layers: readonly unknown[], within = ''): Map<string, string> {
  const counts = new Map<string, number>();
  const places = new Map<string, string>();
  for (const each of layers) {
    const found = layer.safeParse(each).data;
    if (!found) continue;
    const { class_name, config } = found;
    const kind = snakeCase(class_name);
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const place = `${within}${kind}${count === 0 ? '' : `_${count}`}`;
    places.set(config.name, CELLS.includes(class_name) ? `${place}/cell` : place);
    for (const inner of kerasPlaces(config.layers ?? [], `${place}/`)) places.set(...inner);
  }
  return places;
}

/** A variable's place and number there, `conv2d_1/0`, from its name: `layers/conv2d_1/vars/0`. */
export function kerasVariable(written: string): string | undefined {
  const path = written.split('/');
  if (path.at(-2) !== 'vars') return undefined;
  return path.filter((part) => !FOLDERS.includes(part)).join('/');
}

/** Whether it is of what a file has beside a model: of its optimizer, of measures, of chance. */
export function isBesideModel(written: string): boolean {
  return /^(optimizer|metrics)\/(.+\/)?vars\/\d+$|\/seed_generator\/vars\/\d+$/.test(written);
}

/** As Keras makes it of a class's name. */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
