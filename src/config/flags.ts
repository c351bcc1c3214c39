import { Option, type Command } from 'commander';
import { environmentName, options } from './options.js';
import type { OptionKey } from './types.js';

/**
 * Adds flags to a command. Commander only collects their raw text: defaults, environment variables
 * and validation are the resolver's, so the help text that names them is built here.
 */
export function addOptions(command: Command, keys: readonly OptionKey[]): void {
  for (const key of keys) command.addOption(new Option(options[key].flag, help(key)));
}

function help(key: OptionKey): string {
  const { default: value, defaultText, description } = options[key];
  const plain = typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  const shown = defaultText ?? plain;
  const fallback = shown === undefined ? '' : `default: ${shown}, `;
  return `${description} (${fallback}env: ${environmentName(key)})`;
}
