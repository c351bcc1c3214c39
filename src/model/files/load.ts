import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.js';
import { shellWord } from '../../shell-word.js';
import type { Model } from '../model.js';
import { fileError, unreadable } from './disk.js';
import { readSafetensors } from './safetensors.js';
import { type ReadModel, readTfjsModel } from './tfjs.js';

/** What a folder may hold; the first that is there counts. */
const NAMES = ['model.json', 'model.safetensors'];

/**
 * Reads a model, with its weights if it has any, from a TensorFlow.js `model.json`, a `.safetensors` file, or a folder
 * that holds `model.json` or else `model.safetensors`. `file` is the file that was read.
 * @throws DtrainError MODEL_FILE if there is none of these, or it is not a model dtrain can take.
 */
export async function openModel(path: string): Promise<ReadModel & { file: string }> {
  const file = await modelFile(path);
  const read = file.endsWith('.safetensors') ? readSafetensors : readTfjsModel;
  return { ...(await read(file)), file };
}

/**
 * Reads a trained model, as `openModel` does.
 * @throws DtrainError MODEL_FILE, for a model without weights too
 */
export async function loadModel(
  path: string,
): Promise<{ model: Model; weights: Float32Array; file: string }> {
  const { model, weights, file } = await openModel(path);
  if (weights) return { model, weights, file };
  throw fileError(file, 'it describes a model but has no weights of it');
}

/**
 * The model's file that a path means.
 * @throws DtrainError MODEL_FILE if there is none
 */
export async function modelFile(path: string): Promise<string> {
  const kind = await kindOf(path);
  if (kind === 'folder') {
    for (const file of NAMES.map((name) => join(path, name))) {
      if ((await kindOf(file)) !== 'nothing') return file;
    }
    throw fileError(path, `this folder holds neither ${NAMES.join(' nor ')}`);
  }
  if (kind === 'nothing') {
    const accepted = `a model.json, a .safetensors file, or a folder with ${NAMES.join(' or ')}`;
    throw fileError(path, `there is no such file or folder; a model is ${accepted}`);
  }
  if (/\.(json|safetensors)$/.test(path)) return path;
  const [format] = /(?<=\.)(h5|keras)$/.exec(path) ?? [];
  if (format !== undefined)
    throw fileError(path, `convert it first: ${conversion(path, format)} (of pip's tensorflowjs)`);
  throw fileError(path, 'a model file is named model.json, or ends in .safetensors');
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'nothing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'nothing';
    throw unreadable(path, error);
  }
}

/** What turns a file of Keras' into a model.json. */
function conversion(path: string, format: string): string {
  const formats = format === 'h5' ? 'keras' : 'keras_keras --output_format tfjs_layers_model';
  const words = [path, path.slice(0, -format.length - 1)].map(shellWord);
  return `tensorflowjs_converter --input_format ${formats} ${words.join(' ')}`;
}
