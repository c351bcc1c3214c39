import path from 'node:path';
import { assemble } from './assemble.js';
import type { Classes } from './classes.js';
import type { Dataset, Split } from './dataset.js';
import type { ImageSize } from './images/decode.js';
import { loadMnist } from './mnist.js';
import {
  DEFAULT_NORMALISATION,
  type Normalisation,
  type NormalisationName,
  normalisationOf,
  normaliseFloats,
} from './normalise.js';
import { findSource } from './sources/find.js';

export interface DataOptions {
  /** A path, or `mnist`. */
  readonly data: string;
  /** MNIST's folder. */
  readonly dataDir: string | null;
  /** A table's column of labels, by name or by place from 0; null if it can be told. */
  readonly label: string | null;
  /** What images are decoded to; null: the size of the first. */
  readonly imageSize: ImageSize | null;
  readonly skipBad: boolean;
  /** Draws the samples to test on where the source does not say. */
  readonly seed: number;
  /** Then hold some out, rather than test on all of them. */
  readonly holdOut: boolean;
  /** A name, or the normalisation that a model was trained with; null: the data's usual one. */
  readonly normalise: NormalisationName | Normalisation | null;
  /** The classes that a model was trained for; absent: the data's own. */
  readonly classes?: Classes | undefined;
  readonly onNotice?: (sentence: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads a data set, normalised.
 * @throws DtrainError DATA_MISSING, DATA_DAMAGED, USAGE
 */
export async function loadData(options: DataOptions): Promise<Dataset> {
  const { data, dataDir, normalise } = options;
  if (data === 'mnist') {
    const { onNotice, signal } = options;
    const mnist = await loadMnist({ dataDir: dataDir ?? undefined, onNotice, signal });
    return normalise === null ? mnist : normalised(mnist, normalise);
  }
  const source = await findSource(path.resolve(data), options);
  const raw = await assemble(source, options);
  return normalised(raw, normalise ?? DEFAULT_NORMALISATION);
}

function normalised(
  dataset: Omit<Dataset, 'normalisation'>,
  how: NormalisationName | Normalisation,
): Dataset {
  const { train, test, inputType, shape } = dataset;
  const normalisation =
    typeof how === 'string' ? normalisationOf(how, train.images, inputType, shape[2]) : how;
  if (inputType === 'float32') {
    for (const split of [train, test]) normaliseFloats(floatsOf(split), normalisation);
  }
  return { ...dataset, normalisation };
}

function floatsOf({ images }: Split): Float32Array {
  return new Float32Array(images.buffer, images.byteOffset, images.length / 4);
}
