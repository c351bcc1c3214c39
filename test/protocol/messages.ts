import fc from 'fast-check';
import { arithmetics, engines } from '../../src/engine/names.js';
import type { CoordinatorMessage, WorkerMessage } from '../../src/protocol/protocol.js';

const count = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const amount = fc.stringMatching(/^[0-9]{1,12}\.[0-9]{1,6}$/);
const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);

/** Any message that a worker may send. */
export const workerMessages: fc.Arbitrary<WorkerMessage> = fc.oneof(
  fc.record(
    {
      type: fc.constant('hello' as const),
      protocol: count,
      name: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
      threads: fc.integer({ min: 1, max: 256 }),
      engine: fc.constantFrom(...engines),
      price: fc.record({
        perHour: amount,
        currency: fc.constantFrom(null, 'EUR'),
        minimumSeconds: fc.integer({ min: 0, max: 86_400 }),
        perGigabyte: amount,
      }),
    },
    { requiredKeys: ['type', 'protocol', 'name', 'threads', 'engine'] },
  ),
  fc.constant({ type: 'ready' as const }),
  fc.record({
    type: fc.constant('pieces' as const),
    step: count,
    first: count,
    last: count,
    micros: count,
  }),
  fc.constant({ type: 'leave' as const }),
);

const share = fc.double({ min: 0, max: 0.5, noNaN: true });

const layers = fc.constantFrom(
  { type: 'flatten' },
  { type: 'dense', units: 10 },
  { type: 'conv2d', filters: 6, kernel: [5, 5], strides: [1, 1], padding: 'same' },
);

/** Any message that a coordinator may send. */
export const coordinatorMessages: fc.Arbitrary<CoordinatorMessage> = fc.oneof(
  fc.record({
    type: fc.constant('welcome' as const),
    run: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
    arithmetic: fc.constantFrom(...arithmetics),
    model: fc.record({ name: fc.string(), layers: fc.array(layers) }),
    optimizer: fc.constantFrom('sgd' as const, 'momentum' as const, 'adam' as const),
    seed: count,
    batch: fc.integer({ min: 1, max: 65_536 }),
    validation: count,
    augment: fc.record({ shift: share, rotate: share, scale: share, elastic: share }),
    module: fc.record({ sha256, workSize: fc.nat({ max: 1e6 }) }),
    data: fc.record({
      table: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
        minLength: 256,
        maxLength: 256,
      }),
      shards: fc.array(fc.record({ sha256, count: fc.integer({ min: 1, max: 5000 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
    }),
  }),
  fc.record({ type: fc.constant('weights' as const), step: count }),
  fc.record({ type: fc.constant('work' as const), step: count, first: count, last: count }),
  fc.record({
    type: fc.constant('done' as const),
    outcome: fc.constantFrom('complete' as const, 'stopped' as const, 'limit' as const),
  }),
  fc.record({
    type: fc.constant('released' as const),
    reason: fc.stringMatching(/^[\x20-\x7e]{0,1000}$/),
  }),
  fc.record({
    type: fc.constant('refused' as const),
    reason: fc.stringMatching(/^[\x20-\x7e]{0,1000}$/),
  }),
);
