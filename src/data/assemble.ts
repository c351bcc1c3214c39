import { DtrainError } from '../errors.js';
import { sizeOf } from '../model/model.js';
import { permutation } from '../random/permutation.js';
import { type Classes, classesOf, classOf, tooMany } from './classes.js';
import { type Dataset, sampleBytesOf } from './dataset.js';
import { type Kept, keepSplit, MEMORY_BYTES } from './keep.js';
import {
  type Blocks,
  floatsIn,
  type Normalisation,
  type NormalisationName,
  normalisationOf,
  normaliseFloats,
} from './normalise.js';
import { SampleStore } from './sample-store.js';
import { ShardCache } from './shard-cache.js';
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
  readonly normalise: NormalisationName | Normalisation;
  /** Bytes of a split that are kept in memory: its samples are in files if there are more. */
  readonly memoryBytes?: number;
}

/** One of so many samples is tested on where the source does not say which. */
const TEST_SHARE = 10;

/** Different labels: more are no classes, however they are written. */
const MOST_LABELS = 1024;

/**
 * Reads a source, and normalises its samples.
 * @throws DtrainError DATA_DAMAGED, DATA_MISSING, WRITE_FAILED
 */
export async function assemble(source: Source, options: AssembleOptions): Promise<Dataset> {
  const { memoryBytes = MEMORY_BYTES } = options;
  const cache = new ShardCache();
  const sampleBytes = sampleBytesOf(source.shape, source.inputType);
  const store = (): SampleStore => new SampleStore({ sampleBytes, memoryBytes, folder: cache.dir });
  const [training, test] = [store(), store()];
  try {
    const chosen = await choose(source, options, training, test);
    const { shape, inputType } = source;
    const { normalise } = options;
    const blocks = blocksOf(chosen.train);
    const normalisation = await normalisationOf(normalise, blocks, inputType, shape[2]);
    const change = (samples: Uint8Array): void => {
      if (inputType === 'float32') normaliseFloats(floatsIn(samples), normalisation);
    };
    const keep = (part: Part): Promise<Kept> =>
      keepSplit(blocksOf(part), part.labels, { sampleBytes, memoryBytes, cache, change });
    const train = await keep(chosen.train);
    const tested = chosen.test === chosen.train ? train : await keep(chosen.test);
    return {
      name: source.name,
      origin: 'files',
      source: source.origin,
      complete: true,
      ...(chosen.notes.length > 0 && { note: chosen.notes.join(' ') }),
      ...{ shape, inputType, normalisation },
      classes: chosen.classes.count,
      ...(chosen.classes.names && { classNames: chosen.classes.names }),
      skipped: chosen.skipped,
      heldOut: chosen.heldOut,
      train: train.split,
      test: tested.split,
      files: [
        { name: 'training samples', sha256: train.sha256 },
        { name: 'test samples', sha256: tested.sha256 },
      ],
    };
  } finally {
    await training.close();
    await test.close();
  }
}

/** Some of a store's samples, with their classes. */
interface Part {
  readonly store: SampleStore;
  /** In rising order. */
  readonly places: Uint32Array;
  readonly labels: Uint8Array;
}

function blocksOf({ store, places }: Part): Blocks {
  return () => store.at(places);
}

/** What of a source is trained on, and what is tested on. */
interface Choice {
  readonly train: Part;
  readonly test: Part;
  readonly classes: Classes;
  readonly heldOut: boolean;
  readonly skipped: number;
  readonly notes: readonly string[];
}

/** Reads a source into two stores. */
async function choose(
  source: Source,
  options: AssembleOptions,
  training: SampleStore,
  test: SampleStore,
): Promise<Choice> {
  const bad = new BadSamples(options.skipBad);
  const collected = await collect(source, source.train, bad, training);
  const classes = options.classes ?? classesOf([...collected.seen.keys()], source.origin);
  const whole = labelled(collected, classes, bad);
  const count = whole.labels.length;
  if (count < 2) {
    throw new DtrainError('DATA_DAMAGED', `There are no samples in ${source.origin}.`);
  }
  const tested = source.test && (await collect(source, source.test, bad, test));
  const heldOut = !tested && options.holdOut;
  const [forTraining, forTests] = heldOut
    ? holdOutTest(whole, options.seed)
    : [whole, tested ? labelled(tested, classes, bad) : whole];
  const notes = [
    ...(!heldOut
      ? []
      : [
          `No test samples in ${source.origin}: ${forTests.labels.length} of ${count} samples are held out to test on, drawn from the seed ${options.seed}.`,
        ]),
    ...(bad.first === undefined
      ? []
      : [`Bad samples that were left out: ${bad.count}. The first: ${bad.first}`]),
  ];
  return { train: forTraining, test: forTests, classes, heldOut, skipped: bad.count, notes };
}

/** A split as it was read: its labels are numbered in the order in which they came. */
interface Collected {
  readonly store: SampleStore;
  readonly labels: Uint16Array;
  /** Each label's number, and where it first came. */
  readonly seen: ReadonlyMap<Label, { readonly number: number; readonly place: string }>;
}

async function collect(
  { shape, origin }: Source,
  read: SplitReader,
  bad: BadSamples,
  store: SampleStore,
): Promise<Collected> {
  const width = sizeOf(shape);
  const parts: Uint16Array[] = [];
  const seen = new Map<Label, { number: number; place: string }>();
  for await (const { values, labels, place } of read(bad)) {
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
    const samples = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    if (sound.length === numbers.length) await store.append(samples);
    else {
      for (const index of sound) {
        const from = index * store.sampleBytes;
        await store.append(samples.subarray(from, from + store.sampleBytes));
      }
    }
    parts.push(Uint16Array.from(sound, (index) => numbers[index] ?? 0));
  }
  return { store, labels: joined(parts), seen };
}

function joined(parts: readonly Uint16Array[]): Uint16Array {
  const whole = new Uint16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}

/** The samples with their classes; those of no class are bad. */
function labelled({ store, labels, seen }: Collected, classes: Classes, bad: BadSamples): Part {
  const classesByNumber: (number | undefined)[] = [];
  for (const [label, { number, place }] of seen) {
    const found = classOf(label, classes);
    classesByNumber[number] = found;
    if (found !== undefined) continue;
    const times = labels.reduce((sum, one) => sum + Number(one === number), 0);
    const known = classes.names ? 'no training sample has' : `classes go to ${classes.count - 1}`;
    bad.found(place, `has the label ${JSON.stringify(label)}, which ${known}`, times);
  }
  const places = Uint32Array.from(labels, (_, place) => place).filter(
    (place) => classesByNumber[labels[place] ?? 0] !== undefined,
  );
  const classAt = (place: number): number => classesByNumber[labels[place] ?? 0] ?? 0;
  return { store, places, labels: Uint8Array.from(places, classAt) };
}

/** Cuts off what is tested on; both parts keep the source's order. */
function holdOutTest(whole: Part, seed: number): [train: Part, test: Part] {
  const { store, places, labels } = whole;
  const held = Math.max(1, Math.round(places.length / TEST_SHARE));
  const at = permutation(places.length, seed, 'testSplit', 0);
  const inTest = new Uint8Array(places.length);
  for (let index = 0; index < held; index++) inTest[at(index)] = 1;
  const part = (wanted: number): Part => {
    const isWanted = (_: number, index: number): boolean => inTest[index] === wanted;
    return { store, places: places.filter(isWanted), labels: labels.filter(isWanted) };
  };
  return [part(0), part(1)];
}
