import path from 'node:path';
import type { CoordinatorConfig, TrainConfig } from '../src/config/types.js';
import { isPriced, type LedgerState } from '../src/cost/ledger.js';
import { parseMoney } from '../src/cost/money.js';
import { readPlan } from '../src/cost/planned.js';
import { Pricing } from '../src/cost/pricing.js';
import { describeData } from '../src/data/description.js';
import type { ResultEvent } from '../src/events.js';
import { RunFolder } from '../src/report/run-folder.js';
import { budgetOf } from './budget.js';
import { type PreparedRun, prepareRun } from './prepare.js';
import { type ResumedRun, restore } from './resume.js';
import { Run, type RunListeners, type RunMoney } from './run.js';
import { savedConfig } from './snapshot.js';

/**
 * Trains a model on this machine's threads, and on whatever workers join if the configuration says
 * where to listen. Returns the last event.
 * @param resumed the run that this goes on with
 * @throws DtrainError for anything that a user can cause
 */
export async function trainRun(
  config: TrainConfig | CoordinatorConfig,
  listeners: RunListeners = {},
  resumed?: ResumedRun,
): Promise<ResultEvent> {
  if (resumed) return resumeRun(config, listeners, resumed);
  const { onNotice = () => undefined, signal } = listeners;
  const money = await moneyOf(config, undefined);
  const plan = config.plan === null ? undefined : await readPlan(config.plan, config);
  const saved = savedConfig(config);
  const folder =
    config.out === null && config.name === null
      ? await RunFolder.createNew('runs', runName(config.model), saved)
      : await RunFolder.create(config.out ?? path.join('runs', config.name ?? ''), saved);
  const basename = path
    .basename(folder.path)
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 64);
  const run = new Run(config, listeners, config.name ?? basename, folder, money);
  let prepared: PreparedRun | undefined;
  try {
    if (plan) await folder.keepPlan(plan);
    prepared = await prepareRun(config, onNotice, signal);
    await folder.saveData(describeData(prepared.dataset, config));
    return await run.execute(prepared, 0);
  } catch (error) {
    if (!run.began) await folder.discard();
    throw error;
  } finally {
    await prepared?.pool.close();
    folder.close();
  }
}

async function resumeRun(
  config: TrainConfig | CoordinatorConfig,
  listeners: RunListeners,
  resumed: ResumedRun,
): Promise<ResultEvent> {
  const { onNotice = () => undefined, signal } = listeners;
  const money = await moneyOf(config, resumed.paid);
  for (const notice of resumed.notices) onNotice(notice);
  const prepared = await prepareRun(config, onNotice, signal);
  try {
    const step = restore(resumed, prepared, onNotice);
    const folder = await RunFolder.reopen(resumed.folder, step, savedConfig(config));
    try {
      await folder.saveData(describeData(prepared.dataset, config));
      const { run } = resumed.checkpoint.meta;
      return await new Run(config, listeners, run, folder, money, resumed).execute(prepared, step);
    } finally {
      folder.close();
    }
  } finally {
    await prepared.pool.close();
  }
}

/** @param paid what the run has cost before, if it is resumed */
async function moneyOf(config: TrainConfig, paid: LedgerState | undefined): Promise<RunMoney> {
  const before = paid && isPriced(paid) ? paid.currency : null;
  const { currency = null } = parseMoney(config.budget ?? '') ?? {};
  const pricing = await Pricing.of(config, before, currency);
  return { pricing, budget: budgetOf(config, pricing, paid) };
}

/** `lenet5-20261231-235959`: the model, or the folder of its file, and the local time. */
function runName(place: string): string {
  const { name, ext } = path.parse(place);
  const own = ext === '' ? name : name === 'model' ? path.basename(path.dirname(place)) : name;
  const model = own.replace(/[^A-Za-z0-9._-]/g, '-') || 'model';
  const now = new Date();
  const digits = (...values: number[]): string =>
    values.map((value) => String(value).padStart(2, '0')).join('');
  const date = digits(now.getFullYear(), now.getMonth() + 1, now.getDate());
  return `${model}-${date}-${digits(now.getHours(), now.getMinutes(), now.getSeconds())}`;
}
