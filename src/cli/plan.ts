import { Command } from 'commander';
import { planCsv } from '../../plan/csv.js';
import { makePlan, type Plan } from '../../plan/plan.js';
import { planRecord, savePlan } from '../../plan/plan-file.js';
import { addTable } from '../config/flags.js';
import { type PlanConfig, planOptions, resolvePlan } from '../config/plan-options.js';
import { interruptible } from './interrupt.js';
import { joinLines } from './join-lines.js';
import { planLines } from './plan-text.js';

export function planCommand(): Command {
  const command = new Command('plan').description(
    'predict what a training takes in time and money on different fleets',
  );
  addTable(command, planOptions);
  return command.action(async (flags: Record<string, unknown>) => {
    const config = await resolvePlan({ flags, env: process.env });
    const onNotice = (sentence: string): void => {
      if (!config.quiet) process.stderr.write(`${sentence}\n`);
    };
    const plan = await makePlan(config, {
      onNotice,
      onListening: (urls, token) => {
        for (const line of joinLines(urls, token)) onNotice(line);
      },
      signal: interruptible(() => undefined),
    });
    show(config, plan);
    if (config.save !== null) await savePlan(config.save, plan);
    if (!plan.choice) process.exitCode = 1;
  });
}

function show({ json, csv }: PlanConfig, plan: Plan): void {
  const lines = json
    ? [JSON.stringify({ event: 'plan', ...planRecord(plan) })]
    : csv
      ? planCsv(plan)
      : planLines(plan);
  process.stdout.write(`${lines.join('\n')}\n`);
}
