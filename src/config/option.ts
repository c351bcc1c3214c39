import type { Parser } from './parsers.js';
import type { OptionKey, OptionValues } from './types.js';

/** One setting: its flag, its help, its default and what it may be. */
interface Option<T> {
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

export type OptionTable<K extends OptionKey = OptionKey> = {
  readonly [Key in K]: Option<OptionValues[Key]>;
};
