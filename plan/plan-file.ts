import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { readText } from '../src/config/files.js';
import { formatAmount } from '../src/cost/money.js';
import { planMark } from '../src/cost/planned.js';
import { readPrice, statedPrice, statePrice } from '../src/cost/price.js';
import { diskReason, DtrainError } from '../src/errors.js';
import { check, clause } from '../src/model/files/fields.js';
import type { Machine } from './machine.js';
import type { Plan } from './plan.js';
import type { Prediction } from './prediction.js';
import type { Profile } from './probe.js';

const amount = z.number().min(0);
const count = z.int().min(0);
const machine = z.strictObject({
  price: statedPrice.nullable(),
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  threads: count.min(1),
  microBatchSeconds: amount,
  shareSeconds: amount,
  link: z.strictObject({ latency: amount, byteSeconds: amount }).nullable(),
  sharesCores: z.boolean(),
  contention: amount,
});
const profile = z.strictObject({
  date: z.string(),
  host: z.strictObject({
    cores: count,
    processor: z.string(),
    platform: z.string(),
    node: z.string(),
    dtrain: z.string(),
    commit: z.string().nullable(),
    load: amount,
  }),
  engine: z.string(),
  model: z.string(),
  parameters: count,
  samples: count.min(1),
  batch: count.min(1),
  startSeconds: amount,
  evaluationSeconds: amount,
  coordinator: z.strictObject({
    cores: count.min(1),
    messageSeconds: amount,
    byteSeconds: amount,
    waits: z.array(z.strictObject({ workers: count.min(1), seconds: amount })),
    addSeconds: amount,
    updateSeconds: amount,
    leaseSeconds: amount,
    leaseThreadSeconds: amount,
    grain: count.min(1),
  }),
  local: machine,
  workers: z.array(machine),
});
const planFile = z.object({
  format: z.literal(planMark.format),
  version: z.literal(planMark.version),
  profile: profile.nullable(),
});

/** Writes a plan as JSON; money as decimal strings. @throws DtrainError WRITE_FAILED */
export async function savePlan(file: string, plan: Plan): Promise<void> {
  const content = { ...planMark, ...planRecord(plan) };
  try {
    await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
  } catch (cause) {
    const sentence = `Cannot write ${file}: ${diskReason(cause)}. Choose another file with --save.`;
    throw new DtrainError('WRITE_FAILED', sentence, { cause });
  }
}

/** A plan as JSON holds it. */
export function planRecord({ predictions, front, choice, ...plan }: Plan): object {
  const { profile: measured, budget, currency, machines, ...rest } = plan;
  return {
    ...rest,
    currency,
    budget: budget === null ? null : formatAmount(budget),
    machines: machines.map(({ machine: one, count: of }) => ({ ...machineRecord(one), count: of })),
    profile: measured && {
      ...measured,
      local: machineRecord(measured.local),
      workers: measured.workers.map(machineRecord),
    },
    fleets: predictions.map((prediction) => ({
      ...predictionRecord(prediction),
      pareto: front.has(prediction),
      chosen: prediction === choice,
    })),
  };
}

/** A prediction as JSON holds it. */
function predictionRecord(prediction: Prediction): object {
  const { cost } = prediction;
  return { ...prediction, cost: cost === undefined ? null : formatAmount(cost) };
}

function machineRecord(one: Machine): z.infer<typeof machine> {
  return { ...one, price: one.price && statePrice(one.price) };
}

/** What was measured for the plan in a file. @throws DtrainError USAGE */
export async function readProfile(file: string, namedBy: string): Promise<Profile> {
  const text = await readText(file, namedBy);
  const fail = (problem: string, cause?: unknown): DtrainError =>
    new DtrainError('USAGE', `${file} is no saved plan: ${problem}.`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail('it is not valid JSON', cause);
  }
  const checked = check(planFile, value);
  if (!checked.ok) throw fail(clause(checked.path, checked.complaint));
  const found = checked.value.profile;
  if (!found) throw fail('nothing was measured for it, since its fleet was described');
  return {
    ...found,
    local: machineOf(found.local),
    workers: found.workers.map(machineOf),
  };
}

function machineOf(record: z.infer<typeof machine>): Machine {
  return { ...record, price: record.price && readPrice(record.price) };
}
