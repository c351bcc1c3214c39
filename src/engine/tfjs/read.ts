import { weightBytes } from '../../model/files/floats.js';
import { modelFile } from '../../model/files/load.js';
import { sha256 } from '../../sha256.js';
import type { ReadLayersModel } from './layers-file.js';
import { jsonFile } from './read-json.js';
import { safetensorsFile } from './read-safetensors.js';

/** A model of TensorFlow.js's layers that was found in a file. */
export interface FoundLayersModel extends ReadLayersModel {
  readonly file: string;
  /** Tells it from any other: of its description and the file's weights. */
  readonly sha256: string;
}

/**
 * The model of layers in a file or a folder: any TensorFlow.js layers model in a `model.json`, or what
 * dtrain has written of one. `known` and `read` are as `LayersFile` has them.
 * @throws DtrainError MODEL_FILE if there is none
 */
export async function openLayersModel(
  place: string,
): Promise<{ known: boolean; read: (seed: number) => Promise<FoundLayersModel> }> {
  const file = await modelFile(place);
  const open = file.endsWith('.safetensors') ? safetensorsFile : jsonFile;
  const opened = await open(file);
  const read = async (seed: number): Promise<FoundLayersModel> => {
    const found = await opened.read(seed);
    const { model, weights, trained } = found;
    const description = new TextEncoder().encode(JSON.stringify(model.spec));
    const values = trained ? weightBytes(model, weights) : new Uint8Array();
    return { ...found, file, sha256: sha256(Buffer.concat([description, values])) };
  };
  return { known: opened.known, read };
}
