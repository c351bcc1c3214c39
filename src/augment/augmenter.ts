import { randomWords } from '../random/philox.js';
import { drawAffine } from './affine.js';
import type { Augmentation, ImageAugmentation } from './augmentation.js';
import { ElasticField } from './elastic.js';
import { Warp } from './warp.js';

/** Blocks of random words that belong to one sample: one for the affine part, then the elastic. */
const BLOCKS = 16;

/**
 * Augments images of one shape, as bytes [row][column][channel]. What becomes of a sample in an
 * epoch follows from the seed alone: whole numbers and float64 sums, products and quotients.
 */
export class Augmenter {
  readonly #amounts: Augmentation;
  readonly #rows: number;
  readonly #columns: number;
  readonly #sampleBytes: number;
  readonly #seed: number;
  readonly #field: ElasticField;
  readonly #warp: Warp;

  constructor({ amounts, shape }: ImageAugmentation, seed: number) {
    const [rows, columns, channels] = shape;
    this.#amounts = amounts;
    this.#rows = rows;
    this.#columns = columns;
    this.#sampleBytes = rows * columns * channels;
    this.#seed = seed;
    this.#field = new ElasticField(rows, columns);
    this.#warp = new Warp(rows, columns, channels);
  }

  get sampleBytes(): number {
    return this.#sampleBytes;
  }

  /** Writes a sample, the number `sample` of the training split, as it is in an epoch. */
  augment(epoch: number, sample: number, image: Uint8Array, from: number, to: number): void {
    const first = sample * BLOCKS;
    const words = randomWords(this.#seed, 'augmentation', epoch, first);
    const affine = drawAffine(this.#amounts, this.#rows, this.#columns, words);
    const { elastic } = this.#amounts;
    if (elastic > 0) this.#field.draw(elastic, this.#seed, epoch, first + 1);
    this.#warp.run(image, from, to, affine, elastic > 0 ? this.#field : undefined);
  }
}
