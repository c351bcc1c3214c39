import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DtrainError } from '../errors.js';
import { inputTypes } from '../model/layers.js';
import type { Dataset } from './dataset.js';
import type { DataOptions } from './load.js';
import type { Normalisation, NormalisationName } from './normalise.js';

/** The file beside a trained model that says what it was trained on. */
export const DESCRIPTION_FILE = 'data.json';

const extent = z.number().int().min(1);

const schema = z.object({
  name: z.string(),
  source: z.string(),
  /** How it was asked for; paths are absolute. */
  data: z.string(),
  dataDir: z.string().nullable(),
  label: z.string().nullable(),
  imageSize: z.object({ rows: extent, columns: extent, channels: z.literal([1, 3]) }).nullable(),
  skipBad: z.boolean(),
  seed: z.number(),
  /** Rows, columns, channels of a sample. */
  shape: z.tuple([extent, extent, extent]),
  inputType: z.enum(inputTypes),
  classes: extent,
  classNames: z.array(z.string()).optional(),
  skipped: z.number(),
  heldOut: z.boolean(),
  /** What a value becomes: (value / scale - mean) / deviation, by channel or for all of them. */
  normalisation: z.object({
    scale: z.number().positive(),
    mean: z.array(z.number()).min(1),
    deviation: z.array(z.number()).min(1),
  }),
});

/** What a model was trained on, and how to read such data again. */
export type DataDescription = z.infer<typeof schema>;

export function describeData(
  dataset: Dataset,
  options: Omit<DataOptions, 'holdOut'>,
): DataDescription {
  const { name, source, shape, inputType, classes, classNames, skipped, heldOut } = dataset;
  const { label, imageSize, skipBad, seed } = options;
  const { normalisation } = dataset;
  return {
    ...{ name, source },
    ...withAbsolutePaths(options),
    ...{ label, imageSize, skipBad, seed },
    shape: [...shape],
    ...{ inputType, classes, skipped, heldOut },
    ...(classNames && { classNames: [...classNames] }),
    normalisation: {
      scale: normalisation.scale,
      mean: [...normalisation.mean],
      deviation: [...normalisation.deviation],
    },
  };
}

/** Paths that can be found from any folder. */
export function withAbsolutePaths({
  data,
  dataDir,
}: Pick<DataOptions, 'data' | 'dataDir'>): Pick<DataOptions, 'data' | 'dataDir'> {
  return {
    data: data === 'mnist' ? data : path.resolve(data),
    dataDir: dataDir === null ? null : path.resolve(dataDir),
  };
}

/**
 * How the samples of a model were normalised: as its description says, else as the user does.
 * @returns null if neither knows
 * @throws DtrainError USAGE if both do
 */
export function normalisedAs(
  modelFile: string,
  trainedOn: DataDescription | undefined,
  given: NormalisationName | null,
): Normalisation | NormalisationName | null {
  if (trainedOn === undefined || given === null) return trainedOn?.normalisation ?? given;
  const description = path.join(path.dirname(modelFile), DESCRIPTION_FILE);
  const message = `--normalise is for models of which nobody knows how their samples were normalised, and ${description} says it of this one: leave it out.`;
  throw new DtrainError('USAGE', message);
}

/**
 * What the model in a run's file was trained on; undefined if nobody wrote it there.
 * @throws DtrainError MODEL_FILE if the description is damaged
 */
export async function readDescription(modelFile: string): Promise<DataDescription | undefined> {
  const file = path.join(path.dirname(modelFile), DESCRIPTION_FILE);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const message = `${file} does not describe data: take it away, and say with --data what to use.`;
    throw new DtrainError('MODEL_FILE', message, { cause });
  }
}
