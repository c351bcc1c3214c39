import { type DataDescription, normalisedAs, readDescription } from '../data/description.js';
import {
  byteTable,
  MNIST_NORMALISATION,
  type Normalisation,
  type NormalisationName,
  tablesOf,
} from '../data/normalise.js';
import { fileError } from '../model/files/disk.js';
import type { RunModel } from '../engine/run-model.js';
import { Predictor } from './predictor.js';
import type { TrainingImages } from './prepare-image.js';

/** A trained model of images, ready to classify others. */
export interface TrainedModel {
  readonly name: string;
  readonly predictor: Predictor;
  readonly images: TrainingImages;
  /** By class. */
  readonly classNames: readonly string[];
}

/** Grey images that are darker or lighter than this on average have a background, of 1. */
const [DARK, LIGHT] = [0.4, 0.6];

/**
 * A model from a file, ready to classify images. Without a description beside it, of what it was
 * trained on, that is taken to be MNIST, with values as `normalise` says.
 * @throws DtrainError MODEL_FILE if it was not trained on images, USAGE for a
 * `normalise` beside a description
 */
export async function openTrainedModel(
  { model, weights, file }: { model: RunModel; weights: Float32Array; file: string },
  normalise: NormalisationName | null,
): Promise<TrainedModel> {
  const trainedOn = await readDescription(file);
  const [rows, columns, channels] = model.spec.input;
  const inputType = trainedOn?.inputType ?? model.spec.inputType ?? 'uint8';
  if ((channels !== 1 && channels !== 3) || rows * columns === 1 || inputType !== 'uint8') {
    const shape = model.spec.input.join('x');
    throw fileError(file, `it takes ${shape} samples of ${inputType}, which are no images`);
  }
  const how = normalisedAs(file, trainedOn, normalise) ?? 'standard';
  const normalisation = typeof how === 'string' ? ofMnist(how) : how;
  const { mean, deviation } = trainedOn?.normalisation ?? MNIST_NORMALISATION;
  const [center = 0] = mean;
  const digits = isMnist(trainedOn) && String(model.spec.input) === '28,28,1';
  const light = channels === 1 && center > LIGHT;
  const dark = channels === 1 && center < DARK && deviation[0] !== 1;
  return {
    name: model.spec.name,
    predictor: await Predictor.of(model, weights, byteTable(ofChannels(normalisation, channels))),
    images: {
      size: { rows, columns, channels },
      background: light ? 'light' : dark ? 'dark' : undefined,
      digits,
    },
    classNames:
      trainedOn?.classNames ?? Array.from({ length: model.classes }, (_, index) => String(index)),
  };
}

function ofMnist(how: NormalisationName): Normalisation {
  if (how === 'standard') return MNIST_NORMALISATION;
  return { scale: how === 'unit' ? 255 : 1, mean: [0], deviation: [1] };
}

/** One for all channels is the same for each. */
function ofChannels({ scale, mean, deviation }: Normalisation, channels: number): Normalisation {
  const each = (values: readonly number[]): number[] =>
    Array.from({ length: tablesOf(channels) }, (_, at) => values[at] ?? values[0] ?? 0);
  return { scale, mean: each(mean), deviation: each(deviation) };
}

function isMnist(trainedOn: DataDescription | undefined): boolean {
  return trainedOn === undefined || trainedOn.name.startsWith('mnist');
}
