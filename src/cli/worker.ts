import { Command } from 'commander';
import { runWorker } from '../../worker/worker.js';
import { addOptions } from '../config/flags.js';
import { workerKeys } from '../config/options.js';
import { resolveWorker } from '../config/resolve.js';
import { interruptible } from './interrupt.js';

const endings = {
  complete: 'The run is complete.',
  stopped: 'The run was stopped.',
  failed: 'The run failed; the coordinator says why.',
  limit: 'The run has reached its limit; the coordinator says which.',
  left: 'Left the run.',
  released: 'Left the run.',
} as const;

export function workerCommand(): Command {
  const command = new Command('worker')
    .description("compute for a coordinator's run")
    .argument('<url>', 'where the coordinator listens, as it prints it: ws://host:port');
  addOptions(command, workerKeys);
  return command.action(async (url: string, flags: Record<string, unknown>) => {
    const config = await resolveWorker({ flags, env: process.env });
    const onNotice = (sentence: string): void => {
      if (!config.quiet) process.stdout.write(`${sentence}\n`);
    };
    const signal = interruptible(() => {
      onNotice('Leaving the run; press Ctrl-C again to stop at once.');
    });
    const ending = await runWorker(url, config, { onNotice, signal });
    onNotice(endings[ending]);
    if (ending === 'failed') process.exitCode = 1;
  });
}
