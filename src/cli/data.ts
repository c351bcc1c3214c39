import { Command } from 'commander';
import { addOptions } from '../config/flags.js';
import { resolveInspection } from '../config/resolve.js';
import type { Split } from '../data/dataset.js';
import { loadMnist } from '../data/mnist.js';
import { interruptible } from './interrupt.js';
import { count } from './text.js';

export function dataCommand(): Command {
  const command = new Command('data').description('fetch, check and describe the data set');
  addOptions(command, ['dataDir', 'json', 'quiet', 'verbose']);
  return command.action(async (flags: Record<string, unknown>) => {
    const config = resolveInspection({ flags, env: process.env });
    const dataset = await loadMnist({
      dataDir: config.dataDir ?? undefined,
      onNotice: (sentence) => {
        if (!config.quiet) process.stderr.write(`${sentence}\n`);
      },
      signal: interruptible(() => undefined),
    });
    const { name, origin, source, complete, note, shape, classes, files } = dataset;
    if (config.json) {
      const described = { name, origin, source, complete, note, shape, classes, files };
      const sizes = { trainSamples: dataset.train.count, testSamples: dataset.test.count };
      process.stdout.write(`${JSON.stringify({ ...described, ...sizes })}\n`);
      return;
    }
    const lines = [
      `${name} from ${source}`,
      `${shape.join(' x ')} values a sample, ${classes} classes`,
      `train: ${describe(dataset.train, classes)}`,
      `test:  ${describe(dataset.test, classes)}`,
      ...(note === undefined ? [] : [note]),
      ...files.map((file) => `${file.sha256}  ${file.name}`),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  });
}

function describe({ count: samples, labels }: Split, classes: number): string {
  const each = new Array<number>(classes).fill(0);
  for (const label of labels) each[label] = (each[label] ?? 0) + 1;
  return `${count(samples)} samples; of each class ${each.map(count).join(' ')}`;
}
