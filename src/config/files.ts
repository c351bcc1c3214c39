import { readFile } from 'node:fs/promises';
import { DtrainError, systemCode } from '../errors.js';
import { nearest } from './nearest.js';
import { options } from './options.js';
import { secret } from './parsers.js';

/** The settings of a configuration file. */
export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Reads a JSON file of settings; a setting that no command knows is an error. */
export async function readConfigFile(path: string, namedBy: string): Promise<ConfigFile> {
  const text = await readText(path, namedBy);
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (cause) {
    // What follows the first quotation mark is an excerpt, which might show a token.
    const reason = String(cause).replace(/^SyntaxError: |,? (\.\.\.)?".*$/gs, '');
    throw new DtrainError('USAGE', `${path} is not valid JSON: ${reason}.`, { cause });
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new DtrainError('USAGE', `${path} must hold one JSON object of settings.`);
  }
  for (const key of Object.keys(values)) checkKnown(key, path);
  return { path, values: { ...values } };
}

function checkKnown(key: string, path: string): void {
  if (key === 'config') {
    throw new DtrainError('USAGE', `config in ${path} is not allowed: a file names no other file.`);
  }
  if (key === 'resume' || key === 'override') {
    throw new DtrainError('USAGE', `${key} in ${path} is not allowed: give it as a flag.`);
  }
  if (Object.hasOwn(options, key)) return;
  const known = Object.keys(options).filter((name) => name !== 'config');
  const guess = nearest(key, known);
  const advice =
    guess === undefined
      ? 'the flags in --help, in camelCase, are the known ones.'
      : `did you mean ${guess}?`;
  throw new DtrainError('USAGE', `Unknown setting ${JSON.stringify(key)} in ${path}: ${advice}`);
}

/** Reads a token, without the end of its line. */
export async function readTokenFile(path: string, namedBy: string): Promise<string> {
  const token = (await readText(path, namedBy)).replace(/[\r\n]+$/, '');
  if (token === '') throw new DtrainError('USAGE', `The token file ${path} is empty.`);
  if (secret.parse(token) === undefined) {
    throw new DtrainError('USAGE', `The token in ${path} must be ${secret.expects}.`);
  }
  return token;
}

const reasons: Partial<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
};

/** @param namedBy what named the file, for messages */
export async function readText(path: string, namedBy: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (cause) {
    const code = systemCode(cause) ?? String(cause);
    const reason = reasons[code] ?? code;
    throw new DtrainError('USAGE', `Cannot read ${path}, named by ${namedBy}: ${reason}.`, {
      cause,
    });
  }
}
