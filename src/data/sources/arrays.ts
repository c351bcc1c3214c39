import { type Block, damagedFile, type Label, type Source, type SplitReader } from './source.js';
import { piecesOf } from './byte-stream.js';

/** Numbers in a file or in a part of one, whose first axis counts the samples. */
export interface ArrayFile {
  /** For messages. */
  readonly file: string;
  readonly shape: readonly number[];
  /** Bytes of a number. */
  readonly size: number;
  /** Numbers from the file's bytes. */
  readonly decode: (bytes: Uint8Array) => Uint8Array | Float32Array;
  /** What follows the header. */
  readonly content: () => AsyncIterable<Uint8Array>;
}

/** Samples and their labels. */
export interface ArrayPair {
  readonly samples: ArrayFile;
  readonly labels: ArrayFile;
}

/** Bytes that are read at once, about. */
const PIECE = 2 ** 20;

/** A source whose splits are arrays. */
export function arraySource(
  name: string,
  origin: string,
  train: ArrayPair,
  test: ArrayPair | undefined,
): Source {
  const shape = sampleShape(train.samples);
  if (test && String(sampleShape(test.samples)) !== String(shape)) {
    const [mine, theirs] = [sampleShape(test.samples).join('x'), shape.join('x')];
    throw damagedFile(
      test.samples.file,
      `has samples of ${mine}, and the training set of ${theirs}`,
    );
  }
  const empty = train.samples.decode(new Uint8Array());
  return {
    name,
    origin,
    shape,
    inputType: empty instanceof Uint8Array ? 'uint8' : 'float32',
    train: readPair(train),
    ...(test && { test: readPair(test) }),
  };
}

/** [samples, features], [samples, rows, columns] or [samples, rows, columns, channels]. */
function sampleShape({ file, shape }: ArrayFile): readonly [number, number, number] {
  const [, first = 1, second, channels = 1] = shape;
  if (shape.length < 1 || shape.length > 4 || shape.slice(1).includes(0)) {
    throw damagedFile(
      file,
      `has the shape ${shape.join('x')}, which is not one of labelled samples`,
    );
  }
  return second === undefined ? [1, 1, first] : [first, second, channels];
}

function readPair({ samples, labels }: ArrayPair): SplitReader {
  const values = sampleShape(samples).reduce((product, extent) => product * extent, 1);
  const [count = 0] = samples.shape;
  const sampleBytes = values * samples.size;
  return async function* (bad): AsyncGenerator<Block> {
    const known = await labelsOf(labels);
    if (labels.shape[0] !== count) {
      const counts = `${count} samples, and ${labels.file} has ${labels.shape[0] ?? 0} labels`;
      throw damagedFile(samples.file, `has ${counts}`);
    }
    const atOnce = Math.max(1, Math.floor(PIECE / sampleBytes));
    let first = 0;
    for await (const piece of piecesOf(samples.content(), atOnce * sampleBytes)) {
      const whole = Math.min(Math.floor(piece.length / sampleBytes), count - first);
      const usable = Math.min(whole, known.length - first);
      const from = first;
      yield {
        values: samples.decode(piece.slice(0, usable * sampleBytes)),
        labels: known.slice(first, first + usable),
        place: (index) => `${samples.file}, sample ${from + index},`,
      };
      first += usable;
      if (usable < whole) break;
    }
    const short = known.length < count && first === known.length ? labels : samples;
    if (first < count) {
      bad.found(short.file, `is truncated: it ends within sample ${first} of ${count}`);
    }
  };
}

async function labelsOf({ file, shape, size, decode, content }: ArrayFile): Promise<Label[]> {
  if (shape.slice(1).some((extent) => extent !== 1)) {
    throw damagedFile(file, `has labels of the shape ${shape.join('x')} instead of one a sample`);
  }
  const [count = 0] = shape;
  const labels: Label[] = [];
  for await (const piece of piecesOf(content(), size * PIECE)) {
    const whole = piece.slice(0, piece.length - (piece.length % size));
    for (const label of decode(whole)) if (labels.length < count) labels.push(label);
  }
  return labels;
}
