import { z } from 'zod';
import type { Layer, LossName } from '../layers.js';
import { fileError } from './disk.js';
import { quoted } from './fields.js';

/** What Keras and TensorFlow.js call the losses that dtrain has: without case and underscores. */
const kerasLosses: ReadonlyMap<string, LossName> = new Map([
  ['categoricalcrossentropy', 'softmaxCrossEntropy'],
  ['sparsecategoricalcrossentropy', 'softmaxCrossEntropy'],
  ['binarycrossentropy', 'binaryCrossEntropy'],
  ['meansquarederror', 'meanSquaredError'],
  ['mse', 'meanSquaredError'],
]);

const lossName = z.union([
  z.string(),
  z.object({ class_name: z.string() }).transform(({ class_name }) => class_name),
  z.object({ config: z.object({ name: z.string() }) }).transform(({ config }) => config.name),
]);

/** Where a model.json has what a model was compiled with: TensorFlow.js', Keras' `.h5` and `.keras`. */
const compiled = z.object({
  trainingConfig: z.unknown().optional(),
  modelTopology: z.object({
    training_config: z.unknown().optional(),
    model_config: z.object({ compile_config: z.unknown().optional() }).optional(),
  }),
});

/**
 * The loss that a model was compiled with, from the content of its model.json.
 * @returns undefined if the file has none
 * @throws DtrainError MODEL_FILE for one that dtrain lacks
 */
export function compiledLoss(file: string, content: unknown): LossName | undefined {
  const { trainingConfig, modelTopology } = compiled.safeParse(content).data ?? {};
  const config =
    trainingConfig ?? modelTopology?.training_config ?? modelTopology?.model_config?.compile_config;
  const found = z.looseObject({ loss: z.unknown() }).safeParse(config).data?.loss;
  if (found == null) return undefined;
  const single = Array.isArray(found) && found.length === 1 ? (found[0] as unknown) : found;
  const name = lossName.safeParse(single).data;
  const loss = kerasLosses.get(name?.toLowerCase().replaceAll('_', '') ?? '');
  if (loss) return loss;
  const known = 'categorical or binary cross-entropy or mean squared error';
  throw fileError(file, `its loss ${quoted(name ?? single)} is not ${known}`);
}

/** The loss of a model whose file has none: what its last layer is made for. */
export function usualLoss(last: Layer | undefined): LossName {
  return last?.type === 'sigmoid' ? 'binaryCrossEntropy' : 'softmaxCrossEntropy';
}
