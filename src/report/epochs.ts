import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { EpochCost } from '../cost/report.js';
import { METRICS } from './metrics-file.js';

const epochLine = z.object({
  event: z.literal('epoch'),
  epoch: z.int(),
  step: z.int(),
  testAccuracy: z.number(),
  cost: z.object({ seconds: z.number(), total: z.string().nullable() }),
});

/** The epochs that a run has ended, from its metrics.jsonl; a line that is not whole is left out. */
export async function readEpochs(folder: string): Promise<EpochCost[]> {
  const text = await readFile(path.join(folder, METRICS), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const { data } = epochLine.safeParse(parsed(line));
    if (!data) return [];
    const { epoch, step, testAccuracy, cost } = data;
    return [{ epoch, step, accuracy: testAccuracy, seconds: cost.seconds, total: cost.total }];
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
