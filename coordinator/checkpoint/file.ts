import { z } from 'zod';
import { arithmetics } from '../../src/engine/names.js';
import { ledgerSchema } from '../../src/cost/ledger.js';
import { DtrainError } from '../../src/errors.js';
import { check, clause } from '../../src/model/files/fields.js';
import { readFloats, writeFloats } from '../../src/model/files/floats.js';
import { sha256 } from '../../src/sha256.js';

/*
 * A checkpoint's file, its numbers in little-endian order:
 *
 *   8 bytes   MAGIC
 *   u32       VERSION
 *   u32       bytes of the header
 *   header    JSON in UTF-8, a CheckpointMeta
 *   zeros     up to a multiple of 4 bytes
 *   float32s  the weights, then the optimizer's state
 *   32 bytes  SHA-256 of every byte before it, in every version
 */
const MAGIC = 'dtrainck';
const VERSION = 1;
const VERSION_AT = 8;
const LENGTH_AT = 12;
const HEADER_AT = 16;
const SUM_BYTES = 32;

const count = z.int().min(0);
const seconds = z.number().min(0);

const metaSchema = z.strictObject({
  /** The run's name. */
  run: z.string(),
  /** Steps taken. */
  step: count,
  stepsPerEpoch: count,
  /** The run's saved configuration. */
  config: z.record(z.string(), z.unknown()),
  /** Approximate if any step so far was. */
  arithmetic: z.enum(arithmetics).default('exact'),
  dataset: z.strictObject({ name: z.string(), sha256: z.string() }),
  /** Of the model as the run found it; runs of earlier versions have none. */
  modelSha256: z.string().optional(),
  /** How many weights there are. */
  parameters: count,
  /** How many values the optimizer's arrays hold together. */
  stateValues: count,
  progress: z.strictObject({
    /** Samples trained on. */
    samples: count,
    trainSeconds: seconds,
    /** The sums of the epoch under way. */
    epoch: z.strictObject({ loss: z.number(), correct: count, samples: count, seconds }),
  }),
  /** What it has cost; runs of earlier versions have none. */
  ledger: ledgerSchema.optional(),
});

/** What a checkpoint says about itself and the run that it is of. */
export type CheckpointMeta = z.infer<typeof metaSchema>;

/** All that a run needs to go on from a step. */
export interface Checkpoint {
  readonly meta: CheckpointMeta;
  readonly weights: Float32Array;
  /** The optimizer's arrays, one after the other. */
  readonly state: Float32Array;
}

/**
 * A checkpoint's file.
 * @throws RangeError if there are not as many values as `meta` says, or `decodeCheckpoint` would
 * not take it
 */
export function encodeCheckpoint({ meta, weights, state }: Checkpoint): Uint8Array {
  if (weights.length !== meta.parameters || state.length !== meta.stateValues) {
    const found = `${weights.length} weights and ${state.length} values of state`;
    throw new RangeError(`${found} for ${meta.parameters} and ${meta.stateValues}`);
  }
  const checked = check(metaSchema, meta);
  if (!checked.ok) throw new RangeError(clause(checked.path, checked.complaint));
  const header = Buffer.from(JSON.stringify(checked.value));
  const weightsAt = roundedUp(HEADER_AT + header.length);
  const stateAt = weightsAt + 4 * weights.length;
  const sumAt = stateAt + 4 * state.length;
  const bytes = Buffer.alloc(sumAt + SUM_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(VERSION, VERSION_AT);
  bytes.writeUInt32LE(header.length, LENGTH_AT);
  bytes.set(header, HEADER_AT);
  writeFloats(bytes, weightsAt, weights);
  writeFloats(bytes, stateAt, state);
  bytes.write(sha256(bytes.subarray(0, sumAt)), sumAt, 'hex');
  return bytes;
}

/**
 * Reads what `encodeCheckpoint` writes; `file` is what an error calls it.
 * @throws DtrainError CHECKPOINT if a single bit is not as it was written, or another version of
 * dtrain wrote it
 */
export function decodeCheckpoint(bytes: Uint8Array, file: string): Checkpoint {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const sumAt = content.length - SUM_BYTES;
  if (sumAt < HEADER_AT) throw damaged(file, `it has only ${content.length} bytes`);
  // Nothing in the file is believed before this.
  if (content.toString('hex', sumAt) !== sha256(content.subarray(0, sumAt))) {
    throw damaged(file, 'its checksum does not match');
  }
  if (content.toString('latin1', 0, VERSION_AT) !== MAGIC) {
    throw damaged(file, 'it does not begin as a checkpoint does');
  }
  if (content.readUInt32LE(VERSION_AT) !== VERSION) {
    throw new DtrainError('CHECKPOINT', `${file} was written by another version of dtrain.`);
  }
  const headerEnd = HEADER_AT + content.readUInt32LE(LENGTH_AT);
  const weightsAt = roundedUp(headerEnd);
  if (weightsAt > sumAt) throw damaged(file, 'its header is longer than the file');
  const meta = readMeta(content.toString('utf8', HEADER_AT, headerEnd), file);
  const wanted = 4 * (meta.parameters + meta.stateValues);
  if (wanted !== sumAt - weightsAt) {
    throw damaged(file, `its values take ${sumAt - weightsAt} bytes, not ${wanted}`);
  }
  const weights = new Float32Array(meta.parameters);
  const state = new Float32Array(meta.stateValues);
  readFloats(content, weightsAt, weights);
  readFloats(content, weightsAt + 4 * weights.length, state);
  return { meta, weights, state };
}

function readMeta(header: string, file: string): CheckpointMeta {
  let value: unknown;
  try {
    value = JSON.parse(header);
  } catch {
    throw damaged(file, 'its header is not valid JSON');
  }
  const result = check(metaSchema, value);
  if (result.ok) return result.value;
  throw damaged(file, `in its header, ${clause(result.path, result.complaint)}`);
}

function roundedUp(bytes: number): number {
  return 4 * Math.ceil(bytes / 4);
}

function damaged(file: string, problem: string): DtrainError {
  return new DtrainError('CHECKPOINT', `${file} is damaged: ${problem}.`);
}
