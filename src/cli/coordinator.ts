import { Command } from 'commander';
import { openResumed } from '../../coordinator/resume.js';
import { addOptions } from '../config/flags.js';
import { coordinatorKeys } from '../config/options.js';
import { resolveCoordinator } from '../config/resolve.js';
import { runAndShow } from './train.js';

export function coordinatorCommand(): Command {
  const command = new Command('coordinator').description(
    'train on this machine and on the workers that join',
  );
  addOptions(command, coordinatorKeys);
  return command.action(async (flags: Record<string, unknown>) => {
    const sources = { flags, env: process.env };
    const resumed = await openResumed(sources);
    await runAndShow(await resolveCoordinator(sources, resumed?.saved), resumed);
  });
}
