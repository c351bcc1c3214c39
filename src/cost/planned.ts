import { z } from 'zod';
import { readText } from '../config/files.js';
import { DtrainError } from '../errors.js';
import { check, clause } from '../model/files/fields.js';

/** What marks a file as a plan of ours. */
export const planMark = { format: 'dtrain-plan', version: 1 } as const;

const seconds = z.number().min(0);
const planSchema = z.object({
  format: z.literal(planMark.format),
  version: z.literal(planMark.version),
  currency: z.string().nullable(),
  job: z.object({
    model: z.string(),
    batch: z.int().min(1),
    steps: z.int().min(1),
    startSeconds: seconds,
  }),
  fleets: z.array(
    z.object({
      fleet: z.string(),
      threads: z.int().min(0),
      workers: z.int().min(0),
      trainSeconds: seconds,
      seconds,
      cost: z.string().nullable(),
      chosen: z.boolean(),
    }),
  ),
});

/** A saved plan, as far as a run has a use for it. */
export type SavedPlan = z.infer<typeof planSchema>;

/** What was predicted for a run. */
export interface Planned {
  readonly fleet: string;
  /** Of the steps, and from the command to its end. */
  readonly trainSeconds: number;
  readonly seconds: number;
  /** A decimal string; null if prices were not known, or the run took other steps. */
  readonly cost: string | null;
  readonly currency: string | null;
}

/**
 * Reads a plan for a run that is about to begin.
 * @throws DtrainError USAGE if it is no plan, or one for another model or batch
 */
export async function readPlan(
  file: string,
  run: { readonly model: string; readonly batch: number },
): Promise<SavedPlan> {
  const text = await readText(file, '--plan');
  const fail = (problem: string): DtrainError =>
    new DtrainError('USAGE', `${file} is no plan for this run: ${problem}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail('it is not valid JSON');
  }
  const checked = check(planSchema, value);
  if (!checked.ok) throw fail(clause(checked.path, checked.complaint));
  const { job } = checked.value;
  if (job.model === run.model && job.batch === run.batch) return checked.value;
  const [planned, now] = [job, run].map(({ model, batch }) => `--model ${model} --batch ${batch}`);
  throw fail(`it is for ${planned}, and this is ${now}`);
}

/** The plan that a run's folder has kept; undefined if there is none. */
export function keptPlan(text: string | null): SavedPlan | undefined {
  if (text === null) return undefined;
  try {
    return planSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What a plan says of a run that was made by so many threads and workers; undefined if nothing. */
export function plannedFor(
  { fleets, job, currency }: SavedPlan,
  run: { readonly threads: number; readonly workers: number; readonly steps: number },
): Planned | undefined {
  const same = fleets.filter(
    ({ threads, workers }) => threads === run.threads && workers === run.workers,
  );
  const found = same.find(({ chosen }) => chosen) ?? same[0];
  if (!found) return undefined;
  const share = run.steps / job.steps;
  const { startSeconds } = job;
  return {
    fleet: found.fleet,
    trainSeconds: found.trainSeconds * share,
    seconds: startSeconds + (found.seconds - startSeconds) * share,
    cost: share === 1 ? found.cost : null,
    currency,
  };
}
