import type { Model } from '../model.js';
import { fileError } from './disk.js';
import { quoted } from './fields.js';

/**
 * A model's flat weights as little-endian float32 bytes, whatever this machine's own order.
 * @throws RangeError if there are not as many as the model has parameters.
 */
export function weightBytes(
  model: Pick<Model, 'parameterCount'>,
  weights: Float32Array,
): Uint8Array<ArrayBuffer> {
  if (weights.length !== model.parameterCount) {
    throw new RangeError(`${weights.length} weights for ${model.parameterCount} parameters`);
  }
  const bytes = new Uint8Array(4 * weights.length);
  writeFloats(bytes, 0, weights);
  return bytes;
}

/** Writes the values from byte `from` on, as `readFloats` reads them. */
export function writeFloats(bytes: Uint8Array, from: number, values: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, 4 * values.length);
  for (const [index, value] of values.entries()) view.setFloat32(4 * index, value, true);
}

/** Fills `target` with the little-endian float32 values that begin at byte `from`. */
export function readFloats(bytes: Uint8Array, from: number, target: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, 4 * target.length);
  for (let index = 0; index < target.length; index++) {
    target[index] = view.getFloat32(4 * index, true);
  }
}

/**
 * Checks weights that were read from `file`, which may have `names` of its own for the parameters.
 * @throws DtrainError MODEL_FILE, naming the parameter, if one is NaN or infinite.
 */
export function checkFinite(
  model: Pick<Model, 'parameters'>,
  weights: Float32Array,
  file: string,
  names: readonly string[] = model.parameters.map(({ name }) => name),
): void {
  const index = weights.findIndex((weight) => !Number.isFinite(weight));
  if (index === -1) return;
  const owner = model.parameters.findIndex(({ offset, size }) => index < offset + size);
  const place = index - (model.parameters[owner]?.offset ?? 0);
  const problem = `holds ${weights[index] ?? ''} at index ${place}`;
  throw fileError(file, `weight ${quoted(names[owner])} ${problem}, not a finite number`);
}
