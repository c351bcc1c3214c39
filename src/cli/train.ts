import { Command } from 'commander';
import { trainRun } from '../../coordinator/train.js';
import { addOptions } from '../config/flags.js';
import { trainKeys } from '../config/options.js';
import { resolveTrain } from '../config/resolve.js';
import type { CoordinatorConfig, TrainConfig } from '../config/types.js';
import { Display } from './display.js';
import { interruptible } from './interrupt.js';

export function trainCommand(): Command {
  const command = new Command('train').description('train on this machine');
  addOptions(command, trainKeys);
  return command.action(async (flags: Record<string, unknown>) => {
    await runAndShow(await resolveTrain({ flags, env: process.env }));
  });
}

/** Runs a training and shows it, on the terminal or as JSON. */
export async function runAndShow(config: TrainConfig | CoordinatorConfig): Promise<void> {
  const display = new Display(config);
  const signal = interruptible(() => {
    display.notice('Stopping after this step; press Ctrl-C again to stop at once.');
  });
  try {
    await trainRun(config, {
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
    });
  } finally {
    await display.close();
  }
}

/** What to type on another machine. */
function joinLines(urls: readonly string[], token: string | null): string[] {
  const secret = token === null ? '' : ` --token ${shellWord(token)}`;
  return ['Workers join with:', ...urls.map((url) => `  dtrain worker ${url}${secret}`)];
}

/** A word as a shell reads it back. */
function shellWord(word: string): string {
  return /^[\w.,:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
