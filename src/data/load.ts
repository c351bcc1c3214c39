import path from 'node:path';
import { assemble } from './assemble.js';
import type { Classes } from './classes.js';
import type { Dataset } from './dataset.js';
import type { ImageSize } from './images/decode.js';
import { loadMnist } from './mnist.js';
import {
  DEFAULT_NORMALISATION,
  type Normalisation,
  type NormalisationName,
  normalisationOf,
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
 * @throws DtrainError DATA_MISSING, DATA_DAMAGED, WRITE_FAILED, USAGE
 */
export async function loadData(options: DataOptions): Promise<Dataset> {
  const { data, dataDir, normalise } = options;
  if (data === 'mnist') {
    const { onNotice, signal } = options;
    const mnist = await loadMnist({ dataDir: dataDir ?? undefined, onNotice, signal });
    if (normalise === null) return mnist;
    const { train, inputType, shape } = mnist;
    const pixels = [train.images];
    const normalisation = await normalisationOf(normalise, () => pixels, inputType, shape[2]);
    return { ...mnist, normalisation };
  }
  const source = await findSource(path.resolve(data), options);
  return assemble(source, { ...options, normalise: normalise ?? DEFAULT_NORMALISATION });
}
