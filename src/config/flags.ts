import { Option, type Command } from 'commander';
import type { Option as TableOption } from './option.js';
import { environmentName, options } from './options.js';
import type { OptionKey } from './types.js';

/**
 * Adds flags to a command. Commander only collects their raw text: defaults, environment variables
 * and validation are the resolver's, so the help text that names them is built here.
 */
export function addOptions(command: Command, keys: readonly OptionKey[]): void {
  for (const key of keys) add(command, key, options[key]);
}

/** Likewise, a whole table's flags. */
export function addTable(command: Command, table: Readonly<Record<string, Shown>>): void {
  for (const [key, option] of Object.entries(table)) add(command, key, option);
}

type Shown = Pick<TableOption<unknown>, 'flag' | 'description' | 'default' | 'defaultText'>;

function add(command: Command, key: string, option: Shown): void {
  command.addOption(new Option(option.flag, help(key, option)));
}

function help(key: string, { default: value, defaultText, description }: Shown): string {
  const plain = typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  const shown = defaultText ?? plain;
  const fallback = shown === undefined ? '' : `default: ${shown}, `;
  return `${description} (${fallback}env: ${environmentName(key)})`;
}
