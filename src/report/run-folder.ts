import { appendFileSync, closeSync, openSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DtrainError, reasonOf, systemCode } from '../errors.js';
import type { Model } from '../model/model.js';
import { safetensorsFile } from '../model/files/safetensors.js';
import { tfjsFiles } from '../model/files/tfjs.js';

/**
 * A run's folder: config.json, metrics.jsonl, and at the end summary.json and the trained model.
 */
export class RunFolder {
  readonly path: string;
  readonly #metrics: number;

  private constructor(folder: string, metrics: number) {
    this.path = folder;
    this.#metrics = metrics;
  }

  /**
   * Makes the folder and writes the configuration.
   * @throws DtrainError RUN_EXISTS if a run is there already, WRITE_FAILED if it cannot be written
   */
  static async create(folder: string, config: object): Promise<RunFolder> {
    const here = path.resolve(folder);
    try {
      await mkdir(here, { recursive: true });
      const found = await readdir(here);
      if (found.includes('config.json')) {
        throw new DtrainError(
          'RUN_EXISTS',
          `The folder ${here} already holds a run: choose another with --out or --name.`,
        );
      }
      await writeWhole(path.join(here, 'config.json'), json(config));
      return new RunFolder(here, openSync(path.join(here, 'metrics.jsonl'), 'a'));
    } catch (error) {
      throw writeFailed(here, error);
    }
  }

  /** As `create`, in a folder of `parent` that nobody uses: `name`, else `name-2` and so on. */
  static async createNew(parent: string, name: string, config: object): Promise<RunFolder> {
    for (let number = 1; ; number++) {
      const folder = path.join(parent, number === 1 ? name : `${name}-${number}`);
      try {
        await mkdir(parent, { recursive: true });
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

  /** Adds a line to metrics.jsonl. */
  metric(values: object): void {
    try {
      appendFileSync(this.#metrics, `${JSON.stringify(values)}\n`);
    } catch (error) {
      throw writeFailed(path.join(this.path, 'metrics.jsonl'), error);
    }
  }

  /** Writes the trained model: model.json and weights.bin for TensorFlow.js, model.safetensors. */
  async saveModel(model: Model, weights: Float32Array): Promise<void> {
    const { modelJson, weightsBin } = tfjsFiles(model, weights);
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
    await this.#write('summary.json', json(summary));
  }

  /** Takes the run's files away, and the folder if it is empty then: the run never began. */
  async discard(): Promise<void> {
    for (const name of ['config.json', 'metrics.jsonl']) {
      await rm(path.join(this.path, name), { force: true });
    }
    await rmdir(this.path).catch(() => undefined);
  }

  close(): void {
    closeSync(this.#metrics);
  }

  async #write(name: string, content: string | Uint8Array): Promise<void> {
    const file = path.join(this.path, name);
    try {
      await writeWhole(file, content);
    } catch (error) {
      throw writeFailed(file, error);
    }
  }
}

async function isFolder(place: string): Promise<boolean> {
  return (await stat(place).catch(() => undefined))?.isDirectory() ?? false;
}

/** A reader sees the whole file or none. */
async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.part`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

const reasons: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'access is denied',
  EPERM: 'access is denied',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is not a folder',
  EEXIST: 'a file of this name is in the way',
};

function writeFailed(where: string, error: unknown): DtrainError {
  if (error instanceof DtrainError) return error;
  const code = systemCode(error) ?? '';
  const reason = reasons[code] ?? reasonOf(error);
  return new DtrainError(
    'WRITE_FAILED',
    `Cannot write ${where}: ${reason}. Choose another folder with --out.`,
    { cause: error },
  );
}
