import { z } from 'zod';
import { DtrainError } from '../../errors.js';
import type { ModelSpec } from '../layers.js';
import { check, clause } from './fields.js';
import { layerTypes, modelSpecSchema } from './schema.js';

/**
 * Checks a model description that comes from a file or from the network and is not trusted.
 * Whether its layers fit together is for `buildModel` to check.
 * @throws DtrainError MODEL_INVALID, naming the layer, for all that is not a description.
 */
export function parseModelSpec(value: unknown): ModelSpec {
  const result = check(modelSpecSchema, value);
  if (result.ok) return result.value;
  const { path, complaint } = result;
  const [list, index] = path;
  if (list !== 'layers' || typeof index !== 'number') {
    throw invalid('the model description', clause(path, complaint));
  }
  throw invalid(`layer ${index + 1}${typeAt(value, index)}`, clause(path.slice(2), complaint));
}

/** ` (conv2d)`, if that is the type of the layer at `index`; nothing if it is none of ours. */
function typeAt(value: unknown, index: number): string {
  const list = z.object({ layers: z.array(z.unknown()) }).safeParse(value).data?.layers;
  const type = z.object({ type: z.string() }).safeParse(list?.[index]).data?.type;
  return type !== undefined && layerTypes.includes(type) ? ` (${type})` : '';
}

function invalid(where: string, problem: string): DtrainError {
  return new DtrainError('MODEL_INVALID', `${where}: ${problem}.`);
}
