import { z } from 'zod';
import { type Change, largestAmounts } from '../augment/augmentation.js';
import { MOST_SHARDS, SHARD_BYTES } from '../data/shards.js';
import { arithmetics, engines } from '../engine/names.js';
import { statedPrice } from '../cost/price.js';
import { mostNodes } from '../reduce/tree.js';

/**
 * Everything that a coordinator and a worker say to each other, and every limit on it. One frame
 * holds one message; frame.ts has its layout. docs/protocol.md tells the story.
 */

/** Both sides must speak the same version. */
export const PROTOCOL_VERSION = 3;

export const limits = {
  /** Workers of one run. */
  workers: 1024,
  /** Milliseconds from the connection to `hello`. */
  handshakeMs: 2_000,
  /** Milliseconds from `hello` to `welcome`. */
  welcomeMs: 10_000,
  /** A WebSocket ping goes out so often, and so many may stay unanswered: 2 s of silence. */
  heartbeat: { everyMs: 500, unanswered: 4 },
  /** Milliseconds without a ping or a message after which a worker gives its connection up. */
  coordinatorSilentMs: 10_000,
  /** Milliseconds of silence after which a coordinator cuts a connection. */
  workerSilentMs: 10_000,
  /** Milliseconds from `welcome` to `ready`, and more for each byte of data that must be fetched. */
  prepare: { ms: 600_000, msPerByte: 0.001 },
  /**
   * When a range counts as late, in seconds: after `factor` times its prediction and `slack`, or
   * after `unknown` where there is no prediction. Others then compute it too.
   */
  late: { factor: 2, slack: 0.05, unknown: 1 },
  /** When a worker that answers pings but not its range is given up, in seconds. */
  stuck: { factor: 10, least: 5, unknown: 60 },
  /** Seconds between tries of a worker that has no share: the pause doubles. */
  probe: { first: 1, longest: 30 },
  /** Seconds without a share after which a worker is called a spare, and with one again none. */
  spareAfter: 1,
  /** Seconds between two looks at who should compute, if nobody comes or goes. */
  policyEvery: 1,
  /** A worker is released that has been a spare for so many seconds, and has answered so often. */
  release: { seconds: 5, answers: 3 },
  /** Bytes that may wait for a slow reader, beyond two frames of weights. */
  waitingBytes: 1024 * 1024,
  /** Answers that nobody asked for, in a row, after which a worker is cut off. */
  unaskedAnswers: 100,
  /** Connections of every kind; workers have at most `workers` of them. */
  connections: 2_048,
  /** WebSocket fragments that a frame may come in. */
  fragments: 64,
  /** Bytes of a worker's first frame, `hello`. */
  helloBytes: 4 * 1024,
  /** Bytes of a message without its payload. */
  headerBytes: 256 * 1024,
  /** Bytes of a compiled model. */
  moduleBytes: 64 * 1024 * 1024,
  /** Float32 values that one thread works in. */
  workValues: 128 * 1024 * 1024,
  /** Values of the tables that say what bytes of samples stand for: four channels' of 256. */
  tableValues: 1024,
  /** Bytes of one shard. */
  shardBytes: SHARD_BYTES,
  /** Shards of one data set, and their samples: each of those takes five bytes of memory. */
  shards: MOST_SHARDS,
  samples: 200_000_000,
  /** Milliseconds that a connection has to close in an orderly way before it is cut. */
  closeMs: 2_000,
  /** Milliseconds between a worker's first tries to connect, and the longest pause between tries. */
  retryMs: { first: 250, longest: 5_000 },
  /** Milliseconds that a shard's transfer may stand still. */
  stallMs: 10_000,
} as const;

const count = z.number().int().min(0).max(0xffff_ffff);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
const amount = (change: Change) => z.number().min(0).max(largestAmounts[change]);
/** Printable ASCII alone: it ends on somebody's terminal. */
const sentence = z.string().regex(/^[\x20-\x7e]{0,1000}$/);

const hello = z.strictObject({
  type: z.literal('hello'),
  protocol: count,
  name,
  threads: z.number().int().min(1).max(256),
  /**
   * What it is to compute with; `auto` suits any run. A worker of an earlier protocol does not say:
   * it must be read to be told about its version.
   */
  engine: z.enum(engines).default('auto'),
  /** What it costs, if its user says so. */
  price: statedPrice.optional(),
});

/** The worker has its data and its threads, and can be given work. */
const ready = z.strictObject({ type: z.literal('ready') });

/**
 * The answer to `work`. Payload: one sum for each node that covers the range, in order: the
 * weights' gradients, the loss and the correct answers, as float32.
 */
const pieces = z.strictObject({
  type: z.literal('pieces'),
  step: count,
  first: count,
  last: count,
  /** Microseconds that it computed: the rest of the answer's time is the connection's. */
  micros: count,
});

/** The worker goes; its range must be given to others. */
const leave = z.strictObject({ type: z.literal('leave') });

/** Everything a worker needs to compute any micro-batch. Payload: the compiled model's bytes. */
const welcome = z.strictObject({
  type: z.literal('welcome'),
  run: name,
  /** Of all engines in the run. */
  arithmetic: z.enum(arithmetics),
  /** A model description, checked by `parseModelSpec`. */
  model: z.unknown(),
  optimizer: z.enum(['sgd', 'momentum', 'adam', 'adamw']),
  seed: count,
  /** Samples in a global batch. */
  batch: z.number().int().min(1).max(65_536),
  /** Samples held out of the training split. */
  validation: count,
  /** By how much training images are changed at most. */
  augment: z.strictObject({
    shift: amount('shift'),
    rotate: amount('rotate'),
    scale: amount('scale'),
    elastic: amount('elastic'),
  }),
  /** Hash of the payload; float32 values that a thread wants to work in. */
  module: z.strictObject({ sha256, workSize: count.max(limits.workValues) }),
  data: z.strictObject({
    /** The float32 value of each byte of a sample, channel after channel; none for float32 samples. */
    table: z.array(z.number()).max(limits.tableValues),
    shards: z
      .array(z.strictObject({ sha256, count: count.min(1) }))
      .min(1)
      .max(limits.shards),
  }),
});

/** Payload: the weights with which `step` is computed, as float32. */
const weights = z.strictObject({ type: z.literal('weights'), step: count });

/** Compute the micro-batches [first, last) of a step. */
const work = z.strictObject({ type: z.literal('work'), step: count, first: count, last: count });

/**
 * The worker gets no work for now, since others are done sooner without it, or it gets work again.
 * It may be asked to show how fast it is meanwhile.
 */
const standing = z.strictObject({ type: z.literal('standing'), spare: z.boolean() });

/** How a run may end, for its workers: one that was stopped may come back, one at its limit does not. */
const ending = z.enum(['complete', 'stopped', 'limit', 'failed']);
export type RunEnding = z.infer<typeof ending>;

/** The run is over. */
const done = z.strictObject({ type: z.literal('done'), outcome: ending });

/** The worker is no longer needed, and costs money while it stays: it is to exit. */
const released = z.strictObject({ type: z.literal('released'), reason: sentence });

/** The coordinator does not want this worker. */
const refused = z.strictObject({ type: z.literal('refused'), reason: sentence });

export const workerMessage = z.discriminatedUnion('type', [hello, ready, pieces, leave]);
export const coordinatorMessage = z.discriminatedUnion('type', [
  welcome,
  weights,
  work,
  standing,
  done,
  released,
  refused,
]);
export type WorkerMessage = z.infer<typeof workerMessage>;
export type CoordinatorMessage = z.infer<typeof coordinatorMessage>;
export type Welcome = z.infer<typeof welcome>;

/** Where the coordinator listens, under its one port. */
export const paths = { socket: '/ws', shards: '/shards/', health: '/healthz' } as const;

/** Bytes of one piece on the wire: the gradients, the loss, the correct answers. */
export function pieceBytes(parameterCount: number): number {
  return (parameterCount + 2) * 4;
}

/** Bytes of the largest frame that a worker may send. */
export function largestWorkerFrame(parameterCount: number, microBatches: number): number {
  return limits.headerBytes + mostNodes(microBatches) * pieceBytes(parameterCount);
}

/** Bytes of the largest frame that a coordinator may send. */
export const largestCoordinatorFrame = limits.headerBytes + 4 * limits.moduleBytes;
