import { Command } from 'commander';
import { basisOf } from '../../plan/basis.js';
import { planCsv } from '../../plan/csv.js';
import { makePlan } from '../../plan/make-plan.js';
import type { Plan } from '../../plan/plan.js';
import { planRecord, savePlan } from '../../plan/plan-file.js';
import type { ProbeListeners } from '../../plan/probe.js';
import { simulationCsv, simulationRecord } from '../../plan/simulation/report.js';
import { sweep } from '../../plan/simulation/sweep.js';
import { addTable } from '../config/flags.js';
import { type PlanConfig, planOptions, resolvePlan } from '../config/plan-options.js';
import { DtrainError } from '../errors.js';
import { interruptible } from './interrupt.js';
import { joinLines } from './join-lines.js';
import { planLines } from './plan-text.js';
import { simulationLines } from './simulation-text.js';

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
    const listeners: ProbeListeners = {
      onNotice,
      onListening: (urls, token) => {
        for (const line of joinLines(urls, token)) onNotice(line);
      },
      signal: interruptible(() => undefined),
    };
    if (config.simulate) {
      await simulateFleet(config, listeners);
      return;
    }
    const plan = await makePlan(config, listeners);
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

/** Simulates the machines instead of predicting what they do. */
async function simulateFleet(config: PlanConfig, listeners: ProbeListeners): Promise<void> {
  const basis = await basisOf(config, listeners);
  if (basis.workers.length === 0) {
    throw new DtrainError(
      'USAGE',
      '--simulate needs workers: describe them with --fleet, or measure some with --workers.',
    );
  }
  const swept = await sweep(basis, {
    stopwatch: () => performance.now(),
    onSize: ({ workers, stepSeconds }) => {
      listeners.onNotice(`workers: ${workers}, steps a second: ${(1 / stepSeconds).toFixed(1)}`);
    },
    signal: listeners.signal,
  });
  const { currency } = basis;
  const lines = config.json
    ? [JSON.stringify({ event: 'simulation', currency, ...simulationRecord(swept) })]
    : config.csv
      ? simulationCsv(swept)
      : simulationLines(basis, swept, currency);
  process.stdout.write(`${lines.join('\n')}\n`);
}
