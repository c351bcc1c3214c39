import { DtrainError } from '../errors.js';
import { readConfigFile, type ConfigFile } from './files.js';
import type { TableOf } from './option.js';
import { environmentName, flagName } from './options.js';
import type { OptionValues } from './types.js';

/** Where settings come from: commander's raw values and the process's environment. */
export interface Sources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
}

interface Given {
  readonly value: unknown;
  /** How a message names it: `--batch`, `DTRAIN_BATCH`, `batch in run.json`. */
  readonly origin: string;
  readonly from: 'flags' | 'environment' | 'file';
}

/** Looks settings up: flags win, then the environment, then the file, then the defaults. */
export class Settings<V extends object = OptionValues> {
  readonly #table: TableOf<V>;
  readonly #sources: Sources;
  readonly #file: ConfigFile | undefined;

  constructor(table: TableOf<V>, sources: Sources, file?: ConfigFile) {
    this.#table = table;
    this.#sources = sources;
    this.#file = file;
  }

  /** Settings that include those of the file that `--config` or DTRAIN_CONFIG names, if any. */
  static async withFile(table: TableOf<OptionValues>, sources: Sources): Promise<Settings> {
    const settings = new Settings(table, sources);
    const path = settings.get('config');
    if (path === null) return settings;
    return new Settings(table, sources, await readConfigFile(path, settings.origin('config')));
  }

  /** The checked value of a setting, or its default. */
  get<K extends keyof V & string>(key: K): V[K] {
    const option = this.#table[key];
    const given = this.#given(key);
    if (given === undefined) return option.default;
    const value = option.parser.parse(given.value);
    if (value !== undefined) return value;
    const shown = option.secret ? '' : `, not ${abridged(given.value)}`;
    throw new DtrainError('USAGE', `${given.origin} must be ${option.parser.expects}${shown}.`);
  }

  /**
   * Both of two settings of which at most one may be on. Where two sources disagree, the stronger
   * one wins as for any setting; both from one source is an error.
   */
  either<A extends keyof V & string, B extends keyof V & string>(a: A, b: B): [V[A], V[B]] {
    const chosen = this.chosen<A | B>([a, b]);
    return [this.#unless(b, chosen, a), this.#unless(a, chosen, b)];
  }

  /** The one that is on, if any is, of several of which at most one may be; likewise. */
  chosen<K extends keyof V & string>(keys: readonly K[]): K | undefined {
    const on = keys.filter((key) => isOn(this.get(key)));
    const strongest = Math.min(...on.map((key) => this.#rank(key)));
    const [first, second] = on.filter((key) => this.#rank(key) === strongest);
    if (first === undefined || second === undefined) return first;
    throw new DtrainError(
      'USAGE',
      `${this.origin(first)} and ${this.origin(second)} exclude each other: give only one of them.`,
    );
  }

  #unless<K extends keyof V & string>(other: string, chosen: string | undefined, key: K): V[K] {
    return chosen === other ? this.#table[key].default : this.get(key);
  }

  /** Whether a flag or a variable gives it. */
  isGiven(key: keyof V & string): boolean {
    const given = this.#given(key);
    return given !== undefined && given.from !== 'file';
  }

  /** How a message names a setting. */
  origin(key: keyof V & string): string {
    return this.#given(key)?.origin ?? flagName(key);
  }

  #rank(key: keyof V & string): number {
    const from = this.#given(key)?.from;
    return from === 'flags' ? 0 : from === 'environment' ? 1 : 2;
  }

  #given(key: keyof V & string): Given | undefined {
    const flag = this.#sources.flags[key];
    if (flag !== undefined) return { value: flag, origin: flagName(key), from: 'flags' };
    const variable = environmentName(key);
    const text = this.#sources.env[variable];
    if (text !== undefined && text !== '') {
      return { value: text, origin: variable, from: 'environment' };
    }
    const value = this.#file?.values[key];
    if (this.#file === undefined || value === undefined || value === null) return undefined;
    return { value, origin: `${key} in ${this.#file.path}`, from: 'file' };
  }
}

function isOn(value: unknown): boolean {
  return value !== null && value !== false;
}

function abridged(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
