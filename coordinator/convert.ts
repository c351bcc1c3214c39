import { access, copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../src/durable-folder.js';
import { jsonFilesOf } from '../src/engine/run-model.js';
import { diskReason, DtrainError } from '../src/errors.js';
import { safetensorsFile } from '../src/model/files/safetensors.js';
import { trainedModel } from './run-model.js';

/** What a model was trained on, beside its file. */
const DESCRIPTION = 'data.json';

/**
 * Writes the model of a file or a run's folder in the format that the name of the new file says:
 * the same description, names and weights. What it was trained on, if that is written beside the
 * one, goes beside the other.
 * @returns the files that were written
 * @throws DtrainError USAGE for another name, MODEL_FILE, WRITE_FAILED also if a file is there,
 * ENGINE_MISSING for a model of TensorFlow.js's layers where that is not installed
 */
export async function convertModel(from: string, to: string): Promise<string[]> {
  const extension = path.extname(to);
  if (extension !== '.json' && extension !== '.safetensors') {
    const message = `${to} has no model's name: let it end in .json or .safetensors.`;
    throw new DtrainError('USAGE', message);
  }
  const { model, weights, file } = await trainedModel(from, 'tfjs');
  const folder = path.dirname(to);
  const contents = new Map<string, string | Uint8Array>();
  if (extension === '.safetensors') contents.set(to, safetensorsFile(model, weights));
  else {
    const { modelJson, weightsBin } = jsonFilesOf(model, weights);
    contents.set(path.join(folder, 'weights.bin'), weightsBin);
    contents.set(to, modelJson);
  }
  const described = path.join(path.dirname(file), DESCRIPTION);
  const description = path.join(folder, DESCRIPTION);
  const copies = path.resolve(described) !== path.resolve(description) && (await exists(described));
  const files = [...contents.keys(), ...(copies ? [description] : [])];
  for (const name of files) {
    if (!(await exists(name))) continue;
    throw new DtrainError('WRITE_FAILED', `${name} is there already: choose another folder.`);
  }
  try {
    await makeFolder(folder);
    for (const [name, content] of contents) await writeFile(name, content, { flag: 'wx' });
    if (copies) await copyFile(described, description);
  } catch (cause) {
    const message = `The model could not be written to ${folder}: ${diskReason(cause)}.`;
    throw new DtrainError('WRITE_FAILED', message, { cause });
  }
  return files;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
