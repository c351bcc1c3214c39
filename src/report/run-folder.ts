import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type DataDescription, DESCRIPTION_FILE } from '../data/description.js';
import { makeFolder } from '../durable-folder.js';
import { diskReason, DtrainError, reasonOf, systemCode } from '../errors.js';
import { jsonFilesOf, type NamedRunModel } from '../engine/run-model.js';
import { safetensorsFile } from '../model/files/safetensors.js';
import { LEDGER, type LedgerRecord } from './ledger-file.js';
import { METRICS, MetricsFile } from './metrics-file.js';
import { RunLock } from './run-lock.js';

const TOKEN = 'token';
const PLAN = 'plan.json';

export const SUMMARY = 'summary.json';

/**
 * A run's folder: config.json, data.json, metrics.jsonl, and at the end summary.json and the trained model.
 */
export class RunFolder {
  readonly path: string;
  readonly #metrics: MetricsFile;
  readonly #lock: RunLock;

  private constructor(folder: string, lock: RunLock) {
    this.path = folder;
    this.#lock = lock;
    this.#metrics = new MetricsFile(path.join(folder, METRICS));
  }

  /**
   * Makes the folder and writes the configuration.
   * @throws DtrainError RUN_EXISTS if a run is there already, WRITE_FAILED if it cannot be written
   */
  static async create(folder: string, config: object): Promise<RunFolder> {
    const here = path.resolve(folder);
    try {
      await makeFolder(here);
      const found = await readdir(here);
      if (found.includes('config.json')) {
        throw new DtrainError(
          'RUN_EXISTS',
          `The folder ${here} already holds a run: choose another with --out or --name.`,
        );
      }
      await writeWhole(path.join(here, 'config.json'), json(config));
      return new RunFolder(here, new RunLock(here));
    } catch (error) {
      throw writeFailed(here, error);
    }
  }

  /**
   * Opens the folder of a run that goes on after `step` steps, with the configuration that it goes
   * on with. What was recorded of later steps, which will be taken again, is dropped.
   */
  static async reopen(folder: string, step: number, config: object): Promise<RunFolder> {
    const metrics = path.join(folder, METRICS);
    try {
      const lock = new RunLock(folder);
      await writeWhole(path.join(folder, 'config.json'), json(config));
      const before = await readFile(metrics, 'utf8').catch(() => '');
      const kept = before.split('\n').filter((line) => isUpTo(step, line));
      await writeWhole(metrics, kept.map((line) => `${line}\n`).join(''));
      return new RunFolder(folder, lock);
    } catch (error) {
      throw writeFailed(folder, error);
    }
  }

  /** As `create`, in a folder of `parent` that nobody uses: `name`, else `name-2` and so on. */
  static async createNew(parent: string, name: string, config: object): Promise<RunFolder> {
    for (let number = 1; ; number++) {
      const folder = path.join(parent, number === 1 ? name : `${name}-${number}`);
      try {
        await makeFolder(parent);
        await mkdir(folder);
      } catch (error) {
        if (systemCode(error) === 'EEXIST' && (await isFolder(parent))) {
          continue;
        }
        throw writeFailed(path.resolve(folder), error);
      }
      return RunFolder.create(folder, config);
    }
  }

  /** Adds a line to metrics.jsonl. @returns a sentence if there is trouble with it, once */
  metric(values: object): string | undefined {
    return this.#metrics.add(values);
  }

  /** Writes data.json: what the run trains on. */
  async saveData(description: DataDescription): Promise<void> {
    await this.#write(DESCRIPTION_FILE, json(description));
  }

  /** Writes the trained model: model.json and weights.bin for TensorFlow.js, model.safetensors. */
  async saveModel(model: NamedRunModel, weights: Float32Array): Promise<void> {
    const { modelJson, weightsBin } = jsonFilesOf(model, weights);
    try {
      await this.#write('weights.bin', weightsBin);
      await this.#write('model.json', modelJson);
      await this.#write('model.safetensors', safetensorsFile(model, weights));
    } catch (cause) {
      const reason = reasonOf(cause);
      const message = `${reason} The trained model could not be saved.`;
      throw new DtrainError('WRITE_FAILED', message, { cause });
    }
  }

  /** Writes summary.json. */
  async saveSummary(summary: object): Promise<void> {
    await this.#write(SUMMARY, json(summary));
  }

  /** Keeps the plan that the run is to be compared with. */
  async keepPlan(plan: object): Promise<void> {
    await this.#write(PLAN, json(plan));
  }

  /** The plan's text, if one was kept. */
  async plan(): Promise<string | null> {
    return readFile(path.join(this.path, PLAN), 'utf8').catch(() => null);
  }

  /** Writes ledger.json. */
  async saveLedger(record: LedgerRecord): Promise<void> {
    await this.#write(LEDGER, json(record));
  }

  /** The token that workers join with, if it was kept. */
  async token(): Promise<string | null> {
    return readFile(path.join(this.path, TOKEN), 'utf8').catch(() => null);
  }

  /** Keeps the token, for this user's eyes alone, so that workers know the run when it is resumed. */
  async keepToken(token: string): Promise<void> {
    await this.#write(TOKEN, token, 0o600);
  }

  /** Takes the token away: the run is over, and its folder may be passed on. */
  async forgetToken(): Promise<void> {
    await rm(path.join(this.path, TOKEN), { force: true });
  }

  /** Takes the run's files away, and the folder if it is empty then: the run never began. */
  async discard(): Promise<void> {
    for (const name of ['config.json', DESCRIPTION_FILE, METRICS, LEDGER, TOKEN, PLAN]) {
      await rm(path.join(this.path, name), { force: true });
    }
    this.#lock.release();
    await rmdir(this.path).catch(() => undefined);
  }

  close(): void {
    this.#metrics.close();
    this.#lock.release();
  }

  async #write(name: string, content: string | Uint8Array, mode?: number): Promise<void> {
    const file = path.join(this.path, name);
    try {
      await writeWhole(file, content, mode);
    } catch (error) {
      throw writeFailed(file, error);
    }
  }
}

/** Whether a line of metrics.jsonl is whole and of the first `step` steps. */
function isUpTo(step: number, line: string): boolean {
  try {
    const { step: of } = JSON.parse(line) as { step?: unknown };
    return typeof of === 'number' && of <= step;
  } catch {
    return false;
  }
}

/** Whether there is a folder at `place`. */
export async function isFolder(place: string): Promise<boolean> {
  return (await stat(place).catch(() => undefined))?.isDirectory() ?? false;
}

/** A reader sees the whole file or none. */
async function writeWhole(
  file: string,
  content: string | Uint8Array,
  mode?: number,
): Promise<void> {
  const temporary = `${file}.part`;
  try {
    await writeFile(temporary, content, { mode });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function writeFailed(where: string, error: unknown): DtrainError {
  if (error instanceof DtrainError) return error;
  return new DtrainError(
    'WRITE_FAILED',
    `Cannot write ${where}: ${diskReason(error)}. Choose another folder with --out.`,
    { cause: error },
  );
}
