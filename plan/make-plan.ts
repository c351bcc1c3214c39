import type { PlanConfig } from '../src/config/plan-options.js';
import { type Micros, parseMoney } from '../src/cost/money.js';
import { Pricing } from '../src/cost/pricing.js';
import { DtrainError } from '../src/errors.js';
import { type Basis, basisOf } from './basis.js';
import { choose, paretoFront } from './choice.js';
import { fleetsOf, type Stock } from './fleets.js';
import { predictLanguageModel } from './language-model.js';
import type { Machine } from './machine.js';
import type { Plan } from './plan.js';
import { predict } from './prediction.js';
import type { ProbeListeners } from './probe.js';

/**
 * Makes the plan that the configuration asks for.
 * @throws DtrainError USAGE, and what measuring can fail with
 */
export async function makePlan(config: PlanConfig, listeners: ProbeListeners): Promise<Plan> {
  const { languageModel } = config;
  if (languageModel) {
    const pricing = await Pricing.of(config);
    const { params: parameters, ...rest } = languageModel;
    const workers = Math.max(1, config.workers);
    const predictions = predictLanguageModel({
      ...rest,
      parameters,
      workers,
      price: pricing.own,
    });
    const basis = { source: 'arithmetic', job: null, coordinator: null } as const;
    return conclude(config, pricing.currency, {
      ...basis,
      machines: [],
      profile: null,
      predictions,
    });
  }
  return planFleets(config, await basisOf(config, listeners));
}

function planFleets(config: PlanConfig, { local, workers, currency, ...basis }: Basis): Plan {
  const stock: Stock = {
    local: local ? withEachCount(local) : [],
    workers,
  };
  const { coordinator, job } = basis;
  const own = local?.price ?? null;
  const fleets = fleetsOf(stock);
  if (config.budget !== null) {
    const oneStep = { ...job, steps: 1 };
    refuseBudget(
      budgetIn(config.budget, currency),
      fleets.map((fleet) => predict(fleet, coordinator, oneStep, own).cost),
    );
  }
  const predictions = fleets.map((fleet) => predict(fleet, coordinator, job, own));
  const machines = [...(local ? [{ machine: local, count: 1 }] : []), ...workers];
  return conclude(config, currency, { ...basis, machines, predictions });
}

/** The same machine with 1, 2, … of its threads, or all of them if there are other machines. */
function withEachCount(local: Machine): Machine[] {
  return Array.from({ length: local.threads }, (_, index) => ({ ...local, threads: index + 1 }));
}

function conclude(
  { budget: limit, deadline }: PlanConfig,
  currency: string,
  plan: Omit<Plan, 'front' | 'choice' | 'currency' | 'budget' | 'deadline'>,
): Plan {
  const budget = limit === null ? null : budgetIn(limit, currency);
  const choice = choose(plan.predictions, { budget, deadline });
  const front = paretoFront(plan.predictions);
  const paid = plan.predictions.some(({ cost }) => cost !== undefined);
  return { ...plan, front, choice, currency: paid ? currency : null, budget, deadline };
}

function budgetIn(text: string, currency: string): Micros {
  const money = parseMoney(text);
  if (money && (money.currency === null || money.currency === currency)) return money.amount;
  throw new DtrainError(
    'USAGE',
    `The budget of ${text} is not in ${currency}, as the prices are: give it in ${currency}.`,
  );
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
