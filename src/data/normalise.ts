import type { InputType } from '../model/layers.js';

/** How a sample's values become what is trained on: (value / scale - mean) / deviation. */
export interface Normalisation {
  /** 255 for bytes, 1 for float32 values. */
  readonly scale: number;
  /** One for each channel, or one for all. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export const normalisations = ['standard', 'unit', 'none'] as const;
export type NormalisationName = (typeof normalisations)[number];

/** MNIST's usual ones, of its training pixels. */
export const MNIST_NORMALISATION: Normalisation = {
  scale: 255,
  mean: [0.1307],
  deviation: [0.3081],
};

/** Channels of bytes with more than these have one normalisation for all: they are features. */
const MOST_TABLES = 4;

/** Tables of float32 values for bytes of so many channels: one for each, or one for all. */
export function tablesOf(channels: number): number {
  return channels <= MOST_TABLES ? channels : 1;
}

/** The float32 value that each byte is trained as, channel after channel. */
export function byteTable({ scale, mean, deviation }: Normalisation): Float32Array {
  return Float32Array.from(
    mean.flatMap((center, channel) =>
      Array.from({ length: 256 }, (_, byte) => {
        return (byte / scale - center) / (deviation[channel] ?? 1);
      }),
    ),
  );
}

/** Normalises float32 values in place. */
export function normaliseFloats(
  values: Float32Array,
  { scale, mean, deviation }: Normalisation,
): void {
  const channels = mean.length;
  for (let index = 0; index < values.length; index++) {
    const channel = index % channels;
    const value = values[index] ?? NaN;
    values[index] = (value / scale - (mean[channel] ?? 0)) / (deviation[channel] ?? 1);
  }
}

/** How data is normalised where it is not MNIST, nor given. */
export const DEFAULT_NORMALISATION: NormalisationName = 'standard';

/** Reads whole samples from the first one on, block by block. */
export type Blocks = () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The float32 values in some bytes, in place. */
export function floatsIn({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/**
 * The normalisation of a training set. `standard`: mean 0 and deviation 1 of each channel; `unit`: 0
 * to 1, of bytes by 255 and of floats by each channel's least and greatest value; `none`: as they
 * are; or one that is given. Computed in a fixed order with + - * / and the square root alone, bytes' sums exactly.
 */
export async function normalisationOf(
  how: NormalisationName | Normalisation,
  samples: Blocks,
  inputType: InputType,
  channels: number,
): Promise<Normalisation> {
  if (typeof how !== 'string') return how;
  if (inputType === 'uint8') {
    const tables = tablesOf(channels);
    if (how === 'standard') return standardOfBytes(samples, tables);
    return { scale: how === 'unit' ? 255 : 1, ...constant(tables) };
  }
  if (how === 'none') return { scale: 1, ...constant(channels) };
  return how === 'standard' ? standardOfFloats(samples, channels) : unitOfFloats(samples, channels);
}

function constant(channels: number): Omit<Normalisation, 'scale'> {
  return {
    mean: new Array<number>(channels).fill(0),
    deviation: new Array<number>(channels).fill(1),
  };
}

async function standardOfBytes(samples: Blocks, tables: number): Promise<Normalisation> {
  const counts = Array.from({ length: tables }, () => new Float64Array(256));
  for await (const bytes of samples()) {
    counts.forEach((table, first) => {
      for (let index = first; index < bytes.length; index += tables) {
        const byte = bytes[index] ?? 0;
        table[byte] = (table[byte] ?? 0) + 1;
      }
    });
  }
  const moments = counts.map((table) => {
    let [count, sum, squares] = [0n, 0n, 0n];
    table.forEach((times, byte) => {
      count += BigInt(times);
      sum += BigInt(times) * BigInt(byte);
      squares += BigInt(times) * BigInt(byte * byte);
    });
    const spread = Number(count * squares - sum * sum);
    return {
      mean: Number(sum) / Number(count) / 255,
      deviation: Math.sqrt(spread) / Number(count) / 255,
    };
  });
  return { scale: 255, ...sound(moments) };
}

async function standardOfFloats(samples: Blocks, channels: number): Promise<Normalisation> {
  const total = new Array<number>(channels).fill(0);
  let values = 0;
  await eachFloat(samples, channels, (value, channel) => {
    total[channel] = (total[channel] ?? 0) + value;
    values += 1;
  });
  const count = values / channels;
  const mean = total.map((sum) => sum / count);
  const squares = new Array<number>(channels).fill(0);
  await eachFloat(samples, channels, (value, channel) => {
    const distance = value - (mean[channel] ?? 0);
    squares[channel] = (squares[channel] ?? 0) + distance * distance;
  });
  const moments = squares.map((sum, channel) => ({
    mean: mean[channel] ?? 0,
    deviation: Math.sqrt(sum / count),
  }));
  return { scale: 1, ...sound(moments) };
}

async function eachFloat(
  samples: Blocks,
  channels: number,
  take: (value: number, channel: number) => void,
): Promise<void> {
  for await (const bytes of samples()) {
    const values = floatsIn(bytes);
    for (let index = 0; index < values.length; index++) {
      take(values[index] ?? NaN, index % channels);
    }
  }
}

async function unitOfFloats(samples: Blocks, channels: number): Promise<Normalisation> {
  const least = new Array<number>(channels).fill(Infinity);
  const most = new Array<number>(channels).fill(-Infinity);
  await eachFloat(samples, channels, (value, channel) => {
    if (value < (least[channel] ?? 0)) least[channel] = value;
    if (value > (most[channel] ?? 0)) most[channel] = value;
  });
  const ranges = least.map((low, channel) => ({
    mean: low,
    deviation: (most[channel] ?? 0) - low,
  }));
  return { scale: 1, ...sound(ranges) };
}

/** Values that never change have no deviation: they are trained as 0. */
function sound(
  moments: readonly { readonly mean: number; readonly deviation: number }[],
): Omit<Normalisation, 'scale'> {
  return {
    mean: moments.map(({ mean }) => mean),
    deviation: moments.map(({ deviation }) => (deviation === 0 ? 1 : deviation)),
  };
}
