import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addOptions } from '../../src/config/flags.js';
import {
  coordinatorKeys,
  environmentName,
  flagName,
  trainKeys,
  workerKeys,
} from '../../src/config/options.js';
import type { OptionKey } from '../../src/config/types.js';

function command(keys: readonly OptionKey[]): Command {
  const made = new Command('dtrain').exitOverride().configureHelp({ helpWidth: 500 });
  addOptions(made, keys);
  return made;
}

test('help shows each flag, its default and its variable', () => {
  const help = command(coordinatorKeys).helpInformation();
  for (const key of coordinatorKeys) {
    expect(help).toContain(`  ${flagName(key)}`);
    expect(help).toContain(`env: ${environmentName(key)})`);
  }
  expect(help).toMatch(/--batch <samples> .+ \(default: 64, env: DTRAIN_BATCH\)/);
  expect(help).toMatch(/--weight-decay <fraction> .+ \(default: 0, env: DTRAIN_WEIGHT_DECAY\)/);
  expect(help).toContain(
    '(default: sgd 0.2, momentum 0.05, adam 0.002, adamw 0.002, env: DTRAIN_LR)',
  );
  expect(help).toMatch(/--json .+ \(env: DTRAIN_JSON\)/);
  expect(command(workerKeys).helpInformation()).toContain('(default: 10m, env: DTRAIN_PATIENCE)');
});

test('commander applies no defaults', () => {
  expect(command(trainKeys).parse([], { from: 'user' }).opts()).toEqual({});
});

test('commander keeps raw text under the keys of the options', () => {
  for (const key of coordinatorKeys) {
    const switches = ['json', 'quiet', 'verbose', 'profile', 'spot', 'releaseIdle', 'skipBad'];
    const isSwitch = switches.includes(key);
    const args = isSwitch ? [flagName(key)] : [flagName(key), '-5'];
    const parsed = command(coordinatorKeys).parse(args, { from: 'user' });
    expect(parsed.opts()).toEqual({ [key]: isSwitch ? true : '-5' });
  }
});
