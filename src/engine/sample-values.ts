import { sampleBytesOf } from '../data/dataset.js';
import { tablesOf } from '../data/normalise.js';
import type { InputType } from '../model/layers.js';
import { sizeOf } from '../model/model.js';
import type { Place } from './engine.js';
import type { RunModel } from './run-model.js';

/** How a model's samples lie in memory. */
export interface SampleLayout {
  readonly inputType: InputType;
  /** Of a sample. */
  readonly values: number;
  readonly bytes: number;
  /** Tables that say what bytes stand for; one for each channel, or one for all. */
  readonly tables: number;
}

export function sampleLayout({ spec: { input, inputType = 'uint8' } }: RunModel): SampleLayout {
  return {
    inputType,
    values: sizeOf(input),
    bytes: sampleBytesOf(input, inputType),
    tables: tablesOf(input[2]),
  };
}

/** Writes a sample's float32 values, as `gatherSamples` does for the exact engines. */
export function readSample(
  buffer: ArrayBufferLike,
  { inputType, values, tables }: SampleLayout,
  sample: Place,
  table: Place,
  target: Float32Array,
): void {
  if (inputType === 'float32') {
    target.set(new Float32Array(buffer, sample, values));
    return;
  }
  const bytes = new Uint8Array(buffer, sample, values);
  const floats = new Float32Array(buffer, table, 256 * tables);
  for (let index = 0; index < values; index++) {
    target[index] = floats[(index % tables) * 256 + (bytes[index] ?? 0)] ?? NaN;
  }
}
