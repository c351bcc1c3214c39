import { modelToTrain, startingModel } from '../coordinator/run-model.js';
import { MNIST } from '../src/config/data-settings.js';
import type { PlanConfig } from '../src/config/plan-options.js';
import { Pricing } from '../src/cost/pricing.js';
import { stepsPerEpoch } from '../src/data/batches.js';
import { checkFits } from '../src/data/fits.js';
import { loadData } from '../src/data/load.js';
import { LANES } from '../src/engine/ir/types.js';
import { DtrainError } from '../src/errors.js';
import { findModel } from '../src/model/files/find.js';
import { type DescribedMachine, type FleetFile, readFleetFile } from './fleet-file.js';
import { groupsOf } from './groups.js';
import type { Coordinator, Job, Machine } from './machine.js';
import type { Source } from './plan.js';
import { readProfile } from './plan-file.js';
import { probe, type ProbeListeners, type Profile } from './probe.js';

/** What a plan is made from: what is trained, and which machines there are. */
export interface Basis {
  readonly source: Exclude<Source, 'arithmetic'>;
  /** In which currency the prices are. */
  readonly currency: string;
  readonly job: Job;
  readonly coordinator: Coordinator;
  readonly profile: Profile | null;
  /** The coordinator's own threads; null if they do not compute. */
  readonly local: Machine | null;
  readonly workers: readonly DescribedMachine[];
}

type Unpriced = Omit<Basis, 'currency'>;

/** MNIST's, which is not loaded to know that. */
const MNIST_SAMPLES = { training: 60_000, test: 10_000 };

/** A forward pass's share of the work of gradients: 2 of 6 operations for each weight. */
const FORWARD = 1 / 3;

/**
 * The coordinator's costs where nobody measured them: round numbers of the size that a probe finds
 * on a core of 2025; `dtrain plan --workers 2` measures those of this machine.
 */
const ASSUMED: Coordinator = {
  cores: 1,
  messageSeconds: 20e-6,
  byteSeconds: 0.8e-9,
  waits: [],
  addSeconds: 10e-6,
  updateSeconds: 30e-6,
  leaseSeconds: 100e-6,
  leaseThreadSeconds: 50e-6,
  grain: 1,
};

/**
 * The machines of a file, or those that were measured before, or what is measured now; with prices.
 * @throws DtrainError USAGE, and what measuring can fail with
 */
export async function basisOf(config: PlanConfig, listeners: ProbeListeners): Promise<Basis> {
  const recorded = config.profile === null ? null : await readProfile(config.profile, '--profile');
  const file =
    config.fleet === null ? null : await readFleetFile(config.fleet, '--fleet', config.prices);
  const pricing = await Pricing.of(config, file && currencyIn(file));
  const basis = file
    ? await described(config, file, recorded, listeners)
    : measured(config, recorded, recorded ?? (await probe(config, pricing, listeners)));
  const priced = (machine: Machine): Machine => {
    const found = pricing.of(machine.name, machine.price ?? pricing.own);
    if ('refusal' in found) throw new DtrainError('USAGE', `${machine.name}: ${found.refusal}.`);
    return { ...machine, price: found.price };
  };
  return {
    ...basis,
    currency: pricing.currency,
    local: basis.local && priced(basis.local),
    workers: basis.workers.map((worker) => ({ ...worker, machine: priced(worker.machine) })),
  };
}

/** The currency of a file's first price that names one. */
function currencyIn({ local, workers }: FleetFile): string | null {
  const machines = [...(local ? [local] : []), ...workers.map(({ machine }) => machine)];
  return machines.find(({ price }) => price?.currency)?.price?.currency ?? null;
}

async function described(
  config: PlanConfig,
  file: FleetFile,
  profile: Profile | null,
  listeners: ProbeListeners,
): Promise<Unpriced> {
  const { model, batch, validation } = config;
  const { local, workers } = file;
  const { parameters, training, test } = await describedData(config, listeners);
  const samples = training - validation;
  if (batch > samples) {
    const sentence = `A batch of ${batch} samples is more than the ${samples} of the training set: choose a smaller --batch.`;
    throw new DtrainError('USAGE', sentence);
  }
  const evaluating = local ?? workers[0]?.machine;
  const job = jobOf(config, {
    model,
    parameters,
    samples,
    batch,
    startSeconds: 0,
    evaluationSeconds: (FORWARD * test * (evaluating?.microBatchSeconds ?? 0)) / LANES,
  });
  const coordinator = { ...ASSUMED, ...profile?.coordinator, cores: local?.threads ?? 1 };
  return { source: 'described', job, coordinator, profile, local, workers };
}

/** The model's parameters, and the samples that it is trained and evaluated on. */
async function describedData(
  config: PlanConfig,
  { onNotice, signal }: ProbeListeners,
): Promise<{ parameters: number; training: number; test: number }> {
  if (config.data === MNIST) {
    const { training, test } = MNIST_SAMPLES;
    onNotice(
      `This plan is for MNIST, with ${training} samples to train on and ${test} to test on; --data plans for others.`,
    );
    const { model } = await findModel(config.model);
    return { parameters: model.parameterCount, ...MNIST_SAMPLES };
  }
  const found = await modelToTrain(config.model, config.engine, config.seed);
  const dataset = await loadData({ ...config, holdOut: true, onNotice, signal });
  const { model } = startingModel(found, dataset, config.seed);
  checkFits(config.model, model, dataset);
  const { train, test } = dataset;
  return { parameters: model.parameterCount, training: train.count, test: test.count };
}

function measured(config: PlanConfig, recorded: Profile | null, profile: Profile): Unpriced {
  const { model, batch, coordinator, local } = profile;
  if (config.model !== model || config.batch !== batch) {
    throw new DtrainError(
      'USAGE',
      `${config.profile ?? ''} was measured with --model ${model} --batch ${batch}, and speeds depend on both: plan with these, or measure anew.`,
    );
  }
  const workers = groupsOf(profile.workers).map((group) => ({
    ...group,
    failuresPerHour: 0,
    awaySeconds: 0,
  }));
  const source = recorded ? 'recorded' : 'measured';
  return { source, job: jobOf(config, profile), coordinator, profile, local, workers };
}

function jobOf(config: PlanConfig, about: Omit<Job, 'steps'>): Job {
  const { model, parameters, samples, batch, startSeconds, evaluationSeconds } = about;
  const whole = stepsPerEpoch({ samples, batch }) * config.epochs;
  const steps = Math.min(whole, config.steps ?? whole);
  return { model, parameters, samples, batch, steps, startSeconds, evaluationSeconds };
}
