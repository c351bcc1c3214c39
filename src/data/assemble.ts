import { DtrainError } from '../errors.js';
import { sizeOf } from '../model/model.js';
import { permutation } from '../random/permutation.js';
import { sha256 } from '../sha256.js';
import { type Classes, classesOf, classOf, tooMany } from './classes.js';
import { type Dataset, sampleBytesOf, type Split } from './dataset.js';
import { BadSamples, type Label, type Source, type SplitReader } from './sources/source.js';

export interface AssembleOptions {
  /** Draws the samples to test on where the source does not say. */
  readonly seed: number;
  /** Then holds some out, rather than testing on all. */
  readonly holdOut: boolean;
  /** Leaves bad samples out, and counts them, instead of ending with an error. */
  readonly skipBad: boolean;
  /** The classes that labels have to be of; absent: those of the training set. */
  readonly classes?: Classes | undefined;
}

/** One of so many samples is tested on where the source does not say which. */
const TEST_SHARE = 10;

/** Different labels: more are no classes, however they are written. */
const MOST_LABELS = 1024;

/** A data set before it is normalised. */
export type RawDataset = Omit<Dataset, 'normalisation'>;

/**
 * Reads a source into memory.
 * @throws DtrainError DATA_DAMAGED, DATA_MISSING
 */
export async function assemble(source: Source, options: AssembleOptions): Promise<RawDataset> {
  const bad = new BadSamples(options.skipBad);
  const collected = await collect(source, source.train, bad);
  const classes = options.classes ?? classesOf([...collected.seen.keys()], source.origin);
  const whole = labelled(collected, classes, bad);
  if (whole.count < 2) {
    throw new DtrainError('DATA_DAMAGED', `There are no samples in ${source.origin}.`);
  }
  const tested = source.test && (await collect(source, source.test, bad));
  const heldOut = !tested && options.holdOut;
  const [train, test] = heldOut
    ? holdOutTest(whole, options.seed)
    : [whole, tested ? labelled(tested, classes, bad) : whole];
  const notes = [
    ...(!heldOut
      ? []
      : [
          `No test samples in ${source.origin}: ${test.count} of ${whole.count} samples are held out to test on, drawn from the seed ${options.seed}.`,
        ]),
    ...(bad.first === undefined
      ? []
      : [`Bad samples that were left out: ${bad.count}. The first: ${bad.first}`]),
  ];
  return {
    name: source.name,
    origin: 'files',
    source: source.origin,
    complete: true,
    ...(notes.length > 0 && { note: notes.join(' ') }),
    shape: source.shape,
    inputType: source.inputType,
    classes: classes.count,
    ...(classes.names && { classNames: classes.names }),
    skipped: bad.count,
    heldOut,
    train,
    test,
    files: [
      { name: 'training samples', sha256: sha256(train.images, train.labels) },
      { name: 'test samples', sha256: sha256(test.images, test.labels) },
    ],
  };
}

/** A split as it was read: its labels are numbered in the order in which they came. */
interface Collected {
  readonly count: number;
  readonly images: Uint8Array;
  readonly labels: Uint16Array;
  /** Each label's number, and where it first came. */
  readonly seen: ReadonlyMap<Label, { readonly number: number; readonly place: string }>;
}

async function collect(
  { shape, inputType, origin }: Source,
  read: SplitReader,
  bad: BadSamples,
): Promise<Collected> {
  const width = sizeOf(shape);
  const sampleBytes = sampleBytesOf(shape, inputType);
  const parts: { images: Uint8Array; labels: Uint16Array }[] = [];
  const seen = new Map<Label, { number: number; place: string }>();
  let count = 0;
  for await (const { values, labels, place } of read(bad)) {
    const images = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const numbers = labels.map((label, index) => {
      const known = seen.get(label);
      if (known) return known.number;
      if (seen.size === MOST_LABELS) throw tooMany(origin);
      seen.set(label, { number: seen.size, place: place(index) });
      return seen.size - 1;
    });
    const sound = numbers.flatMap((_, index) => {
      const isSound =
        values instanceof Uint8Array ||
        values.subarray(index * width, (index + 1) * width).every(Number.isFinite);
      if (!isSound) bad.found(place(index), 'has a value that is not a finite number');
      return isSound ? [index] : [];
    });
    if (sound.length === numbers.length) parts.push({ images, labels: Uint16Array.from(numbers) });
    else parts.push(picked({ images, labels: Uint16Array.from(numbers) }, sound, sampleBytes));
    count += sound.length;
  }
  return { count, ...joined(parts), seen };
}

/** Samples and their labels' numbers. */
interface Part {
  readonly images: Uint8Array;
  readonly labels: Uint16Array;
}

/** The samples at some places. */
function picked({ images, labels }: Part, places: readonly number[], sampleBytes: number): Part {
  const chosen = new Uint8Array(places.length * sampleBytes);
  places.forEach((place, index) => {
    const sample = images.subarray(place * sampleBytes, (place + 1) * sampleBytes);
    chosen.set(sample, index * sampleBytes);
  });
  return { images: chosen, labels: Uint16Array.from(places, (place) => labels[place] ?? 0) };
}

function joined(parts: readonly Part[]): Part {
  const images = new Uint8Array(parts.reduce((sum, part) => sum + part.images.length, 0));
  const labels = new Uint16Array(parts.reduce((sum, part) => sum + part.labels.length, 0));
  let [imagesAt, labelsAt] = [0, 0];
  for (const part of parts) {
    images.set(part.images, imagesAt);
    labels.set(part.labels, labelsAt);
    imagesAt += part.images.length;
    labelsAt += part.labels.length;
  }
  return { images, labels };
}

/** The samples with their classes; those of no class are bad. */
function labelled(collected: Collected, classes: Classes, bad: BadSamples): Split {
  const { count, images, labels, seen } = collected;
  const classesByNumber: (number | undefined)[] = [];
  for (const [label, { number, place }] of seen) {
    const found = classOf(label, classes);
    classesByNumber[number] = found;
    if (found !== undefined) continue;
    const times = labels.reduce((sum, one) => sum + Number(one === number), 0);
    const known = classes.names ? 'no training sample has' : `classes go to ${classes.count - 1}`;
    bad.found(place, `has the label ${JSON.stringify(label)}, which ${known}`, times);
  }
  const of = (number: number): number | undefined => classesByNumber[number];
  const sound = Array.from(labels, (_, index) => index).filter(
    (index) => of(labels[index] ?? 0) !== undefined,
  );
  const kept =
    sound.length === count
      ? { images, labels }
      : picked({ images, labels }, sound, images.length / count);
  return {
    count: sound.length,
    images: kept.images,
    labels: Uint8Array.from(kept.labels, (number) => of(number) ?? 0),
  };
}

/** Cuts off what is tested on; both parts keep the source's order. */
function holdOutTest({ count, images, labels }: Split, seed: number): [train: Split, test: Split] {
  const held = Math.max(1, Math.round(count / TEST_SHARE));
  const at = permutation(count, seed, 'testSplit', 0);
  const drawn = new Set(Array.from({ length: held }, (_, index) => at(index)));
  const split = (inTest: boolean): Split => {
    const places = Array.from(labels, (_, index) => index).filter(
      (index) => drawn.has(index) === inTest,
    );
    const part = picked(
      { images, labels: Uint16Array.from(labels) },
      places,
      images.length / count,
    );
    return { count: places.length, images: part.images, labels: Uint8Array.from(part.labels) };
  };
  return [split(false), split(true)];
}
