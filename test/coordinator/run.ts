import { NO_AUGMENTATION } from '../../src/augment/augmentation.js';
import { onTestFinished } from 'vitest';
import { Fleet } from '../../dist/coordinator/fleet.js';
import { NOTHING_DONE } from '../../dist/coordinator/tally.js';
import { NO_PRICES, Pricing } from '../../dist/src/cost/pricing.js';
import { Training, type TrainingResult } from '../../dist/coordinator/training.js';
import type { ThreadPool } from '../../dist/src/threads/pool.js';
import { NO_LIMITS } from '../../src/config/limit-options.js';
import type { CoordinatorConfig } from '../../src/config/types.js';
import { batchOf, stepsPerEpoch } from '../../src/data/batches.js';
import { MNIST_NORMALISATION } from '../../src/data/normalise.js';
import type { Arithmetic } from '../../src/engine/names.js';
import type { WorkerEvent } from '../../src/events.js';
import { hyperOf, model, poolFor, type Problem, problemOf } from '../threads/problem.js';

export interface RunUnderTest {
  readonly problem: Problem;
  readonly pool: ThreadPool;
  readonly training: Training;
  readonly fleet: Fleet;
  readonly port: number;
  readonly totalSteps: number;
  readonly events: readonly WorkerEvent[];
  readonly notices: readonly string[];
  /** Steps after which there would have been a checkpoint. */
  readonly saves: readonly number[];
  /** Resolves at the next worker event for which `holds` is true, or now. */
  readonly happened: (holds: (event: WorkerEvent) => boolean) => Promise<WorkerEvent>;
  /** Trains to the end, and tells the workers. */
  readonly finish: () => Promise<TrainingResult>;
}

interface RunOptions {
  readonly workers?: number;
  readonly localThreads?: boolean;
  readonly batch?: number;
  readonly epochs?: number;
  readonly firstStep?: number;
  /** The numbers of a step's update, if not the problem's. */
  readonly hyper?: (step: number, samples: number) => Float32Array;
  readonly config?: Partial<CoordinatorConfig>;
  readonly arithmetic?: Arithmetic;
}

/** A coordinator with a small problem, on a free port, for the running test. */
export async function startRun({
  workers = 1,
  localThreads = false,
  batch = 64,
  epochs = 2,
  firstStep = 0,
  hyper,
  config = {},
  arithmetic = 'exact',
}: RunOptions = {}): Promise<RunUnderTest> {
  const problem = await problemOf({ samples: 141, batch, tests: 20 });
  const pool = poolFor(problem, 1);
  const plan = { samples: 141, batch };
  const totalSteps = epochs * stepsPerEpoch(plan);
  const saves: number[] = [];
  const training = new Training({
    pool,
    plan,
    totalSteps,
    firstStep,
    before: NOTHING_DONE,
    saveEvery: { seconds: 30 },
    localThreads,
    pricing: Pricing.none(),
    paid: undefined,
    startWith: workers,
    validation: false,
    onLimit: () => undefined,
    onSave: (step) => saves.push(step),
    hyper: (step) => {
      const { samples } = batchOf(plan, step);
      return hyper?.(step, samples) ?? hyperOf(problem, step, samples);
    },
    onEpoch: () => undefined,
    onSteps: () => undefined,
    onWait: () => undefined,
  });
  const events: WorkerEvent[] = [];
  const notices: string[] = [];
  const listeners = new Set<() => void>();
  const { training: train, test, table, compiled, seed } = problem;
  const fleet = await Fleet.listen({
    config: { ...CONFIG, workers, batch, seed, ...config },
    token: config.token ?? null,
    run: 'run-under-test',
    prepared: {
      model,
      modelSha256: '',
      dataset: { ...DATASET, train, test, shape: model.spec.input, classes: model.classes },
      compiled,
      engine: { name: arithmetic === 'exact' ? 'wasm' : 'tfjs-node', arithmetic },
      table,
      plan,
      totalSteps,
      pool,
    },
    training,
    pricing: await Pricing.of({ ...NO_PRICES, ...config }),
    onEvent: (event) => {
      events.push(event);
      for (const listener of listeners) listener();
    },
    onRefused: (reason) => notices.push(`A worker was refused: ${reason}.`),
  });
  onTestFinished(() => fleet.close('failed'));
  return {
    problem,
    pool,
    training,
    fleet,
    port: fleet.port,
    totalSteps,
    events,
    notices,
    saves,
    happened: (holds) =>
      new Promise((resolve) => {
        const look = (): void => {
          const event = events.find(holds);
          if (event) resolve(event);
        };
        listeners.add(look);
        look();
      }),
    finish: async () => {
      const result = await training.run();
      await fleet.close(result.outcome);
      return result;
    },
  };
}

const DATASET = {
  name: 'small',
  origin: 'folder',
  source: 'a test',
  complete: true,
  inputType: 'uint8',
  skipped: 0,
  heldOut: false,
  normalisation: MNIST_NORMALISATION,
  files: [],
} as const;

const CONFIG: CoordinatorConfig = {
  ...NO_PRICES,
  ...NO_LIMITS,
  model: 'lenet5',
  epochs: 2,
  steps: null,
  batch: 64,
  optimizer: 'momentum',
  lr: 0.05,
  momentum: 0.9,
  weightDecay: 0.01,
  schedule: 'constant',
  warmup: 0,
  seed: 11,
  validation: 0,
  normalise: null,
  data: 'mnist',
  label: null,
  imageSize: null,
  skipBad: false,
  augment: NO_AUGMENTATION,
  dataDir: null,
  engine: 'wasm',
  threads: 0,
  out: null,
  name: null,
  checkpointEvery: { seconds: 30 },
  plan: null,
  profile: false,
  json: false,
  quiet: true,
  verbose: false,
  host: '127.0.0.1',
  port: 0,
  workers: 1,
  token: null,
};
