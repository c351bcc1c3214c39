import type { Chance } from './chance.js';
import { EVALUATION_ROW, type Place, type SampleCall, type Surroundings } from './engine.js';
import { LANES } from './ir/types.js';
import { readSample, type SampleLayout } from './sample-values.js';

/** What an approximate engine reads of the memory that it shares, and writes there. */
export class SampleReader {
  readonly #surroundings: Surroundings;
  readonly #layout: SampleLayout;
  /** Of this thread's own memory: TensorFlow takes no shared one. */
  readonly weights: Float32Array;
  #samples = new Float32Array();

  constructor(surroundings: Surroundings, layout: SampleLayout, parameterCount: number) {
    this.#surroundings = surroundings;
    this.#layout = layout;
    this.weights = new Float32Array(parameterCount);
  }

  /** Brings `weights` up to date, and gives the samples one after the other, with their labels. */
  read({ images, labels, indices, count }: SampleCall): {
    samples: Float32Array;
    labels: Uint8Array;
  } {
    const { memory, table, weights } = this.#surroundings;
    const { buffer } = memory;
    const numbers = new Uint32Array(buffer, indices, count);
    const bytes = new Uint8Array(buffer);
    this.weights.set(new Float32Array(buffer, weights, this.weights.length));
    const { values } = this.#layout;
    if (this.#samples.length !== count * values) this.#samples = new Float32Array(count * values);
    const samples = this.#samples;
    const found = new Uint8Array(count);
    for (let sample = 0; sample < count; sample++) {
      const number = numbers[sample] ?? 0;
      found[sample] = bytes[labels + number] ?? 0;
      const target = samples.subarray(sample * values);
      readSample(buffer, this.#layout, images + number * this.#layout.bytes, table, target);
    }
    return { samples, labels: found };
  }

  /** What random numbers depend on, from the words of DRAW_WORDS. */
  chance(draws: Place): Chance {
    const { buffer } = this.#surroundings.memory;
    const [seed = 0, step = 0, first = 0] = new Uint32Array(buffer, draws, 3);
    return { seed, step, first };
  }

  /** Writes a piece: the gradient, the loss and the correct answers. */
  writePiece(piece: Place, gradient: Float32Array, loss: number, correct: number): void {
    const { buffer } = this.#surroundings.memory;
    const { length } = this.weights;
    const values = new Float32Array(buffer, piece, length + 2);
    values.set(gradient);
    values.set([loss, correct], length);
  }

  /**
   * Writes one row for each micro-batch.
   * @param losses of each sample
   */
  writeRows(
    out: Place,
    labels: Uint8Array,
    losses: ArrayLike<number>,
    classes: ArrayLike<number>,
  ): void {
    const { buffer } = this.#surroundings.memory;
    const rows = new Float32Array(buffer, out, Math.ceil(labels.length / LANES) * EVALUATION_ROW);
    rows.fill(0);
    labels.forEach((label, sample) => {
      const row = Math.floor(sample / LANES) * EVALUATION_ROW;
      const found = classes[sample] ?? NaN;
      rows[row] = (rows[row] ?? 0) + (losses[sample] ?? NaN);
      rows[row + 1] = (rows[row + 1] ?? 0) + (found === label ? 1 : 0);
      rows[row + 2 + (sample % LANES)] = found;
    });
  }
}
