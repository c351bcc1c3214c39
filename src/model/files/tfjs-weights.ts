import { dirname, join } from 'node:path';
import { z } from 'zod';
import { sizeOf, type Model, type Parameter } from '../model.js';
import { fileError, fileSize, readBytes } from './disk.js';
import { quoted, sameShape, shapeText } from './fields.js';
import { isBesideModel, kerasVariable } from './keras-variables.js';
import { checkFinite, readFloats } from './floats.js';

/** Bytes of the files of one group: float32 weights with two moments of an optimizer. */
const LARGEST_GROUP = 1024 * 1024 * 1024;

const extent = z.custom<number>((value) => Number.isSafeInteger(value) && Number(value) >= 0, {
  error: 'must be a whole number, 0 or more',
});

const entry = z.object({
  name: z.string(),
  shape: z.array(extent),
  dtype: z.string(),
  group: z.string().nullish(),
  quantization: z.unknown().optional(),
});
type Entry = z.infer<typeof entry>;

const group = z.object({
  paths: z.array(z.string()).min(1, { error: 'must name a file' }),
  weights: z.array(entry),
});

/** A model.json's `weightsManifest`: each group's files, joined, are its weights, joined. */
export const weightsManifest = z.array(group);
type Group = z.infer<typeof group>;

/** Bytes of one value: of weights, and of what an optimizer may have saved beside them. */
const valueBytes: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['int32', 4],
  ['bool', 1],
]);

/** Where the bytes of a parameter begin in the joined files of its group. */
interface Place {
  readonly parameter: Parameter;
  readonly from: number;
}

/** A model's parameters, and what its file calls them. */
export interface NamedWeights {
  readonly model: Pick<Model, 'parameters' | 'parameterCount'>;
  /** In the order of the parameters. */
  readonly weightNames: readonly string[];
  /** What else the file may call one: that, and its name. */
  readonly aliases: ReadonlyMap<string, string>;
}

/**
 * Reads a model's flat weights from the files that its model.json, `file`, lists.
 * @throws DtrainError MODEL_FILE if they are not the model's, or not finite float32 numbers.
 */
export async function readWeights(
  file: string,
  { model, weightNames, aliases }: NamedWeights,
  groups: readonly Group[],
): Promise<Float32Array> {
  const wanted = new Map(model.parameters.map((parameter, at) => [weightNames[at], parameter]));
  const plans = groups.map(({ paths, weights: entries }) => {
    for (const path of paths) checkPath(path, file);
    return { paths, ...placesOf(entries, wanted, aliases, file) };
  });
  const [absent] = wanted.keys();
  if (absent !== undefined) throw fileError(file, `its weightsManifest lacks ${quoted(absent)}`);

  const weights = new Float32Array(model.parameterCount);
  for (const { paths, places, bytes } of plans) {
    const joined = await readJoined(paths, bytes, file);
    for (const { parameter, from } of places) {
      const { offset, size } = parameter;
      readFloats(joined, from, weights.subarray(offset, offset + size));
    }
  }
  checkFinite(model, weights, file, weightNames);
  return weights;
}

/** Finds the entries' parameters, which it takes out of `wanted`, and counts the bytes of all. */
function placesOf(
  entries: readonly Entry[],
  wanted: Map<string | undefined, Parameter>,
  aliases: NamedWeights['aliases'],
  file: string,
): { places: Place[]; bytes: number } {
  const places: Place[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const from = bytes;
    bytes += sizeOf(entry.shape) * (valueBytes.get(entry.dtype) ?? NaN);
    if (entry.group === 'optimizer' || isBesideModel(entry.name)) continue;
    const names = namesOf(entry.name).map((each) => aliases.get(each) ?? each);
    const name = names.find((each) => wanted.has(each)) ?? entry.name;
    const parameter = wanted.get(name);
    wanted.delete(name);
    places.push({ parameter: checkEntry(entry, parameter, file), from });
  }
  if (bytes <= LARGEST_GROUP) return { places, bytes };
  throw fileError(file, 'its weightsManifest has a group that is too large, or of unknown dtype');
}

/**
 * What a weight may be called in its model: `conv/kernel`. Keras adds `:0`, or the model's name or
 * the layer's once more in front; in a `.keras` file it has numbers, which are aliases here.
 */
function namesOf(written: string): string[] {
  const variable = kerasVariable(written);
  if (variable !== undefined) return [variable];
  const [kind = '', owner = '', ...outer] = written.replace(/:0$/, '').split('/').reverse();
  const scopes = [owner, ...outer].reverse();
  return [
    `${scopes.join('/')}/${kind}`,
    `${scopes.slice(0, -1).join('/')}/${kind}`,
    `${owner}/${kind}`,
  ];
}

function checkEntry(entry: Entry, parameter: Parameter | undefined, file: string): Parameter {
  const title = `weight ${quoted(entry.name)}`;
  if (!parameter) throw fileError(file, `${title} is listed twice, or belongs to no layer`);
  if (entry.dtype !== 'float32' || entry.quantization != null) {
    throw fileError(file, `${title} is not plain float32, but quantized or of another dtype`);
  }
  if (sameShape(entry.shape, parameter.shape)) return parameter;
  const shapes = `${shapeText(entry.shape)}, not ${shapeText(parameter.shape)}`;
  throw fileError(file, `${title} has the shape ${shapes}`);
}

/** A path is a place below the model.json's folder, with slashes on every system. */
function checkPath(path: string, file: string): void {
  if (path === '' || /[\\:\0]|^\/|(^|\/)\.\.(\/|$)/.test(path)) {
    throw fileError(
      file,
      `the path ${quoted(path)} in its weightsManifest is no place in its folder`,
    );
  }
}

async function readJoined(
  paths: readonly string[],
  bytes: number,
  file: string,
): Promise<Uint8Array> {
  const files = paths.map((path) => join(dirname(file), path));
  let found = 0;
  for (const each of files) found += await fileSize(each);
  const parts: Uint8Array[] = [];
  if (found === bytes) for (const each of files) parts.push(await readBytes(each));
  const joined = Buffer.concat(parts);
  if (joined.length === bytes) return joined;
  const [first = file, ...others] = files;
  const together = others.length === 0 ? '' : ' with the rest of its group';
  throw fileError(first, `it has ${found} bytes${together}, but ${file} lists ${bytes} of weights`);
}
