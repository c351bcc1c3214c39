import { readFile, stat } from 'node:fs/promises';
import { DtrainError, systemCode } from '../../errors.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

const reasons: Partial<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
};

/** MODEL_FILE: "`file`: `problem`." */
export function fileError(file: string, problem: string, cause?: unknown): DtrainError {
  return new DtrainError('MODEL_FILE', `${file}: ${problem}.`, { cause });
}

/** MODEL_FILE for a file that the system does not let us read. */
export function unreadable(file: string, cause: unknown): DtrainError {
  const code = systemCode(cause) ?? String(cause);
  return fileError(file, reasons[code] ?? `it cannot be read (${code})`, cause);
}

/**
 * The size of a file in bytes.
 * @throws DtrainError MODEL_FILE if there is none, or it is something else than a file.
 */
export async function fileSize(file: string): Promise<number> {
  const found = await stat(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (found.isDirectory()) throw fileError(file, 'it is a folder');
  if (!found.isFile()) throw fileError(file, 'it is not a regular file');
  return found.size;
}

/**
 * A file's content.
 * @throws DtrainError MODEL_FILE if it cannot be read.
 */
export async function readBytes(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
}

/**
 * The value that a text in JSON (as UTF-8, if it is bytes) stands for.
 * @throws DtrainError MODEL_FILE if it is not JSON; `what` is what begins the complaint.
 */
export function parseJson(json: Uint8Array | string, file: string, what: string): unknown {
  try {
    const text = typeof json === 'string' ? json : utf8.decode(json);
    return JSON.parse(text);
  } catch (cause) {
    throw fileError(file, `${what} is not valid JSON`, cause);
  }
}
