import type { TableOf } from './option.js';
import { options } from './options.js';
import { path, yesOrNo } from './parsers.js';
import { Settings, type Sources } from './settings.js';

/** The configuration of `dtrain cost`. */
export interface CostConfig {
  readonly html: string | null;
  readonly csv: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** The options of `dtrain cost`, as its help lists them. */
export const costCommandOptions: TableOf<CostConfig> = {
  html: {
    flag: '--html <file>',
    description: 'write a report with plots',
    default: null,
    parser: path,
  },
  csv: {
    flag: '--csv',
    description: 'print one row of comma-separated values for each worker',
    default: false,
    parser: yesOrNo,
  },
  json: options.json,
  verbose: options.verbose,
};

/** The configuration of `dtrain cost`; whatever is wrong with it is a USAGE error. */
export function resolveCost(sources: Sources): CostConfig {
  const settings = new Settings(costCommandOptions, sources);
  const [json, csv] = settings.either('json', 'csv');
  return { html: settings.get('html'), csv, json, verbose: settings.get('verbose') };
}
