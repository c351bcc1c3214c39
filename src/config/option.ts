import type { Parser } from './parsers.js';
import type { OptionKey, OptionValues } from './types.js';

/** One setting: its flag, its help, its default and what it may be. */
export interface Option<T> {
  /** The flag as commander reads it; its name is the key in kebab case. */
  readonly flag: string;
  readonly description: string;
  /** The value when nobody gives one; null: none, or one that is found when the run is resolved. */
  readonly default: T;
  /** The default as help shows it, where the value itself does not say it. */
  readonly defaultText?: string;
  readonly parser: Parser<NonNullable<T>>;
  /** Never repeat the value in a message. */
  readonly secret?: true;
}

/** The options of a command, or of several. */
export type TableOf<V> = { readonly [Key in keyof V]: Option<V[Key]> };

export type OptionTable<K extends OptionKey = OptionKey> = TableOf<Pick<OptionValues, K>>;
