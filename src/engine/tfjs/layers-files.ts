import { z } from 'zod';
import { weightBytes } from '../../model/files/floats.js';
import { losses } from '../../model/layers.js';
import type { NamedLayersModel } from './spec.js';

/** What dtrain tells itself in a model.json's `userDefinedMetadata`. */
export const layersMetadata = z.object({
  dtrain: z.object({ model: z.string(), loss: z.enum(losses) }),
});

/** The content of `model.json` and `weights.bin`, as `tf.loadLayersModel` reads them. */
export function layersFiles(
  model: NamedLayersModel,
  weights: Float32Array,
): { modelJson: string; weightsBin: Uint8Array } {
  const { name, topology, loss } = model.spec;
  const content = {
    format: 'layers-model',
    generatedBy: 'dtrain',
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: model.parameters.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
      },
    ],
    userDefinedMetadata: { dtrain: { model: name, loss } } satisfies z.infer<typeof layersMetadata>,
  };
  return {
    modelJson: `${JSON.stringify(content, null, 2)}\n`,
    weightsBin: weightBytes(model, weights),
  };
}
