import type { PlanConfig } from '../src/config/plan-options.js';
import type { Micros } from '../src/cost/money.js';
import { Pricing } from '../src/cost/pricing.js';
import { stepsPerEpoch } from '../src/data/batches.js';
import { LANES } from '../src/engine/ir/types.js';
import { DtrainError } from '../src/errors.js';
import { builtInModels } from '../src/model/lenet5.js';
import { buildModel } from '../src/model/model.js';
import { choose, paretoFront } from './choice.js';
import { type FleetFile, readFleetFile } from './fleet-file.js';
import { fleetsOf, type Stock } from './fleets.js';
import { groupsOf } from './groups.js';
import { predictLanguageModel } from './language-model.js';
import type { Coordinator, Job, Machine } from './machine.js';
import { readProfile } from './plan-file.js';
import { type Group, predict, type Prediction } from './prediction.js';
import { probe, type ProbeListeners, type Profile } from './probe.js';

/** Where a plan's figures come from. */
export type Source = 'measured' | 'recorded' | 'described' | 'arithmetic';

export interface Plan {
  readonly source: Source;
  /** What is trained; null for a language model. */
  readonly job: Job | null;
  readonly coordinator: Coordinator | null;
  /** The coordinator's own threads, if they may compute, and the workers there are. */
  readonly machines: readonly Group[];
  readonly profile: Profile | null;
  readonly predictions: readonly Prediction[];
  readonly front: ReadonlySet<Prediction>;
  /** Undefined if no fleet does what is wished. */
  readonly choice: Prediction | undefined;
  /** Null if there are no prices. */
  readonly currency: string | null;
  readonly budget: Micros | null;
  /** Seconds. */
  readonly deadline: number | null;
}

/** MNIST's, which all of the built-in models train on. */
const TRAINING_SAMPLES = 60_000;

/**
 * The coordinator's costs where nobody measured them: of Node 20 on one core of an AMD EPYC
 * (Zen 5), with LeNet-5; `dtrain plan --workers 2` shows those of another machine.
 */
const ASSUMED: Coordinator = {
  cores: 1,
  messageSeconds: 20e-6,
  byteSeconds: 0.8e-9,
  addSeconds: 10e-6,
  updateSeconds: 30e-6,
  leaseSeconds: 100e-6,
  leaseThreadSeconds: 50e-6,
  grain: 1,
};

/**
 * Makes the plan that the configuration asks for.
 * @throws DtrainError USAGE, and what measuring can fail with
 */
export async function makePlan(config: PlanConfig, listeners: ProbeListeners): Promise<Plan> {
  const { languageModel } = config;
  const pricing = await Pricing.of(config);
  if (languageModel) {
    const { params: parameters, ...rest } = languageModel;
    const workers = Math.max(1, config.workers);
    const predictions = predictLanguageModel({
      ...rest,
      parameters,
      workers,
      price: pricing.own,
    });
    const basis = { source: 'arithmetic', job: null, coordinator: null } as const;
    return conclude(config, pricing, { ...basis, machines: [], profile: null, predictions });
  }
  if (config.fleet !== null) {
    const file = await readFleetFile(config.fleet, '--fleet');
    const profile = config.profile === null ? null : await readProfile(config.profile, '--profile');
    return described(config, pricing, file, profile);
  }
  const profile =
    config.profile === null
      ? await probe(config, pricing, listeners)
      : await readProfile(config.profile, '--profile');
  return measured(config, pricing, profile);
}

function described(
  config: PlanConfig,
  pricing: Pricing,
  file: FleetFile,
  profile: Profile | null,
): Plan {
  const { model, batch } = config;
  const cores = file.local?.threads ?? 1;
  const coordinator = { ...ASSUMED, ...profile?.coordinator, cores };
  const samples = TRAINING_SAMPLES - config.validation;
  const job = jobOf(config, {
    model,
    parameters: buildModel(builtInModels[model]).parameterCount,
    samples,
    batch,
    startSeconds: 0,
    // A forward pass is a third of the work of gradients (2 of 6 operations for each weight).
    evaluationSeconds:
      ((10_000 / 3) * ((file.local ?? file.workers[0]?.machine)?.microBatchSeconds ?? 0)) / LANES,
  });
  const source = 'described';
  const basis = { source, job, coordinator, profile } as const;
  return planFleets(config, pricing, basis, file.local, file.workers);
}

function measured(config: PlanConfig, pricing: Pricing, profile: Profile): Plan {
  const { model, batch } = profile;
  if (config.profile !== null && (config.model !== model || config.batch !== batch)) {
    throw new DtrainError(
      'USAGE',
      `${config.profile} was measured with --model ${model} --batch ${batch}, and speeds depend on both: plan with these, or measure anew.`,
    );
  }
  const source = config.profile === null ? 'measured' : 'recorded';
  const { coordinator } = profile;
  const basis = { source, job: jobOf(config, profile), coordinator, profile } as const;
  return planFleets(config, pricing, basis, profile.local, groupsOf(profile.workers));
}

function jobOf(config: PlanConfig, about: Omit<Job, 'steps'>): Job {
  const { model, parameters, samples, batch, startSeconds, evaluationSeconds } = about;
  const whole = stepsPerEpoch({ samples, batch }) * config.epochs;
  const steps = Math.min(whole, config.steps ?? whole);
  return { model, parameters, samples, batch, steps, startSeconds, evaluationSeconds };
}

type Basis = Pick<Plan, 'source' | 'profile'> & {
  readonly job: Job;
  readonly coordinator: Coordinator;
};

function planFleets(
  config: PlanConfig,
  pricing: Pricing,
  basis: Basis,
  local: Machine | null,
  workers: readonly Group[],
): Plan {
  const priced = (machine: Machine): Machine => {
    const found = pricing.of(machine.name, machine.price ?? pricing.own);
    if ('refusal' in found) throw new DtrainError('USAGE', `${machine.name}: ${found.refusal}.`);
    return { ...machine, price: found.price };
  };
  const groups = workers.map(({ machine, count }) => ({ machine: priced(machine), count }));
  const own = local && priced(local);
  const stock: Stock = {
    local: own ? withEachCount(own) : [],
    workers: groups,
  };
  const { coordinator, job } = basis;
  const fleets = fleetsOf(stock);
  if (config.budget !== null) {
    const oneStep = { ...job, steps: 1 };
    refuseBudget(
      config.budget,
      fleets.map((fleet) => predict(fleet, coordinator, oneStep).cost),
    );
  }
  const predictions = fleets.map((fleet) => predict(fleet, coordinator, job));
  const machines = [...(own ? [{ machine: own, count: 1 }] : []), ...groups];
  return conclude(config, pricing, { ...basis, machines, predictions });
}

/** The same machine with 1, 2, … of its threads, or all of them if there are other machines. */
function withEachCount(local: Machine): Machine[] {
  return Array.from({ length: local.threads }, (_, index) => ({ ...local, threads: index + 1 }));
}

function conclude(
  { budget, deadline }: PlanConfig,
  pricing: Pricing,
  plan: Omit<Plan, 'front' | 'choice' | 'currency' | 'budget' | 'deadline'>,
): Plan {
  const choice = choose(plan.predictions, { budget, deadline });
  const front = paretoFront(plan.predictions);
  const paid = plan.predictions.some(({ cost }) => cost !== undefined);
  return { ...plan, front, choice, currency: paid ? pricing.currency : null, budget, deadline };
}

/** @param costs of a run of one step, for each fleet */
function refuseBudget(budget: Micros, costs: readonly (Micros | undefined)[]): void {
  const known = costs.filter((cost) => cost !== undefined);
  if (known.length === 0) {
    throw new DtrainError('USAGE', '--budget needs prices: give what machines cost with --price.');
  }
  if (known.every((cost) => cost > budget)) {
    throw new DtrainError('USAGE', 'The budget is too small for one step of any fleet.');
  }
}
