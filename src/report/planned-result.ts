import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { SUMMARY } from './run-folder.js';

const summarySchema = z.object({
  planned: z.object({
    fleet: z.string(),
    trainSeconds: z.number(),
    seconds: z.number(),
    cost: z.string().nullable(),
    currency: z.string().nullable(),
  }),
  trainSeconds: z.number(),
  wallSeconds: z.number(),
  cost: z.object({ total: z.string().nullable(), currency: z.string().nullable() }),
});

/** What was planned for a run that is over, and what came of it. */
export type PlannedResult = Readonly<z.infer<typeof summarySchema>>;

/** From summary.json of a run's folder; undefined if the run had no plan, or is not over. */
export async function readPlannedResult(folder: string): Promise<PlannedResult | undefined> {
  try {
    const text = await readFile(path.join(folder, SUMMARY), 'utf8');
    return summarySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
