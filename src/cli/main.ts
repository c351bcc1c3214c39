#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { DtrainError, reasonOf } from '../errors.js';
import { description, version } from '../version.js';

/** Only the one that is asked for is loaded: a worker has no use for the rest. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import('./train.js')).trainCommand(),
  coordinator: async () => (await import('./coordinator.js')).coordinatorCommand(),
  worker: async () => (await import('./worker.js')).workerCommand(),
  bench: async () => (await import('./bench.js')).benchCommand(),
  plan: async () => (await import('./plan.js')).planCommand(),
  cost: async () => (await import('./cost.js')).costCommand(),
  prices: async () => (await import('./prices.js')).pricesCommand(),
  eval: async () => (await import('./eval.js')).evalCommand(),
  predict: async () => (await import('./predict.js')).predictCommand(),
  convert: async () => (await import('./convert.js')).convertCommand(),
  data: async () => (await import('./data.js')).dataCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
};

const program = new Command('dtrain').description(description).version(version);
const [, , name = ''] = process.argv;
const asked = Object.hasOwn(commands, name) ? [name] : Object.keys(commands);
for (const each of asked) {
  const command = await commands[each]?.();
  if (command) program.addCommand(command);
}
for (const command of [program, ...program.commands]) command.exitOverride();

// A reader that has seen enough (`dtrain train | head`) is no error, and no reason to stop.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong in one sentence and gives the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = error instanceof DtrainError;
  const verbose =
    process.argv.includes('--verbose') || /^(1|true)$/.test(process.env.DTRAIN_VERBOSE ?? '');
  const message = reasonOf(error);
  process.stderr.write(`error: ${message}\n`);
  if (verbose && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
    if (error.cause instanceof Error) process.stderr.write(`cause: ${error.cause.stack ?? ''}\n`);
  }
  return known ? error.exitCode : 1;
}
