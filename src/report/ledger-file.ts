import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ledgerSchema } from '../cost/ledger.js';
import { diskReason, DtrainError, systemCode } from '../errors.js';
import { check, clause } from '../model/files/fields.js';

export const LEDGER = 'ledger.json';

const recordSchema = z.object({
  run: z.string(),
  model: z.string(),
  dataset: z.string(),
  /** Classes of the data set, of which one is right by chance. */
  classes: z.int().min(1),
  samplesPerEpoch: z.int().min(1),
  ledger: ledgerSchema,
});

/** What ledger.json holds: a run's ledger, and what is needed to judge it. */
export type LedgerRecord = Readonly<z.infer<typeof recordSchema>>;

/**
 * Reads ledger.json of a run's folder; undefined if there is none.
 * @throws DtrainError LEDGER if it is damaged or cannot be read
 */
export async function readLedger(folder: string): Promise<LedgerRecord | undefined> {
  const file = path.join(folder, LEDGER);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    const reason = cause instanceof SyntaxError ? 'it is not valid JSON' : diskReason(cause);
    throw new DtrainError('LEDGER', `${file} cannot be read: ${reason}.`, { cause });
  }
  const result = check(recordSchema, value);
  if (result.ok) return result.value;
  const what = clause(result.path, result.complaint);
  throw new DtrainError('LEDGER', `${file} is damaged: ${what}.`);
}
