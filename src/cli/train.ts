import { Command } from 'commander';
import { openResumed, type ResumedRun } from '../../coordinator/resume.js';
import { trainRun } from '../../coordinator/train.js';
import { addOptions } from '../config/flags.js';
import { trainKeys } from '../config/options.js';
import { resolveTrain } from '../config/resolve.js';
import type { CoordinatorConfig, TrainConfig } from '../config/types.js';
import { joinLines } from './join-lines.js';
import { Display } from './display.js';
import { checkpointOnSignal, interruptible } from './interrupt.js';

export function trainCommand(): Command {
  const command = new Command('train').description('train on this machine');
  addOptions(command, trainKeys);
  return command.action(async (flags: Record<string, unknown>) => {
    const sources = { flags, env: process.env };
    const resumed = await openResumed(sources);
    await runAndShow(await resolveTrain(sources, resumed?.saved), resumed);
  });
}

/** Runs a training and shows it, on the terminal or as JSON. */
export async function runAndShow(
  config: TrainConfig | CoordinatorConfig,
  resumed?: ResumedRun,
): Promise<void> {
  const display = new Display(config);
  const signal = interruptible(() => {
    display.notice('Stopping after this step; press Ctrl-C again to stop at once.');
  });
  try {
    await trainRun(
      config,
      {
        signal,
        onEvent: (event) => {
          display.event(event);
        },
        onProgress: (progress) => {
          display.progress(progress);
        },
        onNotice: (sentence) => {
          display.notice(sentence);
        },
        onListening: (urls, token) => {
          for (const line of joinLines(urls, token)) display.notice(line);
        },
        onRunning: checkpointOnSignal(),
      },
      resumed,
    );
  } finally {
    await display.close();
  }
}
