import { z } from 'zod';
import { fileError } from '../../model/files/disk.js';
import { readDescription, readTensors } from '../../model/files/safetensors.js';
import { LayersEngine } from './layers-engine.js';
import type { LayersFile, ReadLayersModel } from './layers-file.js';
import { loadTensorFlow } from './libraries.js';
import { parseLayersModel } from './spec.js';

const ofLayers = z.looseObject({ topology: z.unknown() });

/**
 * A safetensors file that dtrain wrote of a TensorFlow.js layers model, with its description.
 * @throws DtrainError MODEL_FILE if it is another file
 */
export async function safetensorsFile(file: string): Promise<LayersFile> {
  const description = await readDescription(file);
  if (ofLayers.safeParse(description).data?.topology === undefined) {
    throw fileError(file, 'its description is of no TensorFlow.js layers model');
  }
  const { spec, classes } = parseLayersModel(description);
  const read = async (): Promise<ReadLayersModel> => {
    const engine = await LayersEngine.create(await loadTensorFlow(), spec.topology, spec.loss, 0);
    const { parameters, parameterCount } = engine;
    const model = { spec, classes, parameters, parameterCount };
    return { model, weights: await readTensors(file, model), trained: true };
  };
  return { known: true, read };
}
