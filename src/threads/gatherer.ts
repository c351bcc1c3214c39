import type { Augmenter } from '../augment/augmenter.js';
import { microBatchesOf } from '../data/batches.js';
import type { SplitSize } from '../data/dataset.js';
import { ImageReader } from '../data/image-files.js';
import type { SampleCall } from '../engine/engine.js';
import { LANES } from '../engine/ir/types.js';
import type { OwnMemory, SampleSet } from './memory.js';

/** Finds the samples of a set for one thread: where they are, or as copies of the thread's own. */
export class Gatherer {
  readonly #set: SampleSet;
  readonly #own: OwnMemory;
  readonly #sampleBytes: number;
  readonly #reader: ImageReader | undefined;
  readonly #augmenter: Augmenter | undefined;
  readonly #indices: Uint32Array;
  readonly #list: Uint32Array;
  readonly #bytes: Uint8Array;

  /**
   * @param split that the set is of
   * @param augmenter changes the samples, in each epoch otherwise
   */
  constructor(
    buffer: ArrayBufferLike,
    set: SampleSet,
    split: SplitSize,
    own: OwnMemory,
    augmenter?: Augmenter,
  ) {
    this.#set = set;
    this.#own = own;
    this.#sampleBytes = split.sampleBytes;
    this.#reader = split.files && new ImageReader(split.files);
    this.#augmenter = augmenter;
    this.#indices = new Uint32Array(buffer, own.indices);
    this.#list = new Uint32Array(buffer, set.list, set.count);
    this.#bytes = new Uint8Array(buffer);
  }

  /** Samples in the set's list. */
  get count(): number {
    return this.#set.count;
  }

  /** Samples are read from files. */
  get inFiles(): boolean {
    return this.#reader !== undefined;
  }

  /**
   * @param placeOf in the set's list, of each sample
   * @throws DtrainError DATA_MISSING
   */
  gather(count: number, placeOf: (lane: number) => number, epoch = 0): SampleCall {
    const lanes = microBatchesOf(count) * LANES;
    for (let lane = 0; lane < lanes; lane++) {
      // Lanes beyond the count are masked, so any sample will do for them.
      const place = placeOf(lane < count ? lane : 0);
      this.#indices[lane] = this.#list[place] ?? 0;
    }
    const { images, labels } = this.#set;
    const isChanged = this.#reader !== undefined || this.#augmenter !== undefined;
    if (isChanged) this.#copy(count, lanes, epoch);
    const from = isChanged ? this.#own.samples : { images, labels };
    return { ...from, indices: this.#own.indices, count };
  }

  /** Reads samples that will be gathered next, if they are in files. */
  readAhead(places: readonly number[]): void {
    this.#reader?.readAhead(Uint32Array.from(places, (place) => this.#list[place] ?? 0));
  }

  /** Copies the samples listed as `indices`, and lists the copies there instead. */
  #copy(count: number, lanes: number, epoch: number): void {
    const { samples, stored } = this.#own;
    for (let lane = 0; lane < lanes; lane++) {
      const sample = this.#indices[lane] ?? 0;
      this.#indices[lane] = lane < count ? lane : 0;
      if (lane >= count) continue;
      const to = samples.images + lane * this.#sampleBytes;
      this.#reader?.read(sample, this.#bytes, this.#augmenter ? stored : to);
      const from = this.#reader ? stored : this.#set.images + sample * this.#sampleBytes;
      this.#augmenter?.augment(epoch, sample, this.#bytes, from, to);
      this.#bytes[samples.labels + lane] = this.#bytes[this.#set.labels + sample] ?? 0;
    }
  }
}
