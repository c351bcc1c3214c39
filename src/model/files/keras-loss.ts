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

/**
 * The loss that a model was compiled with, from the training configuration in its file.
 * @returns undefined if the file has none
 * @throws DtrainError MODEL_FILE for one that dtrain lacks
 */
export function compiledLoss(file: string, trainingConfig: unknown): LossName | undefined {
  const found = z.looseObject({ loss: z.unknown() }).safeParse(trainingConfig).data?.loss;
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
