import { Command } from 'commander';
import { addOptions } from '../config/flags.js';
import { dataKeys } from '../config/options.js';
import { resolveData } from '../config/resolve.js';
import { type Dataset, type Split } from '../data/dataset.js';
import { loadData } from '../data/load.js';
import type { Normalisation } from '../data/normalise.js';
import { interruptible } from './interrupt.js';
import { count } from './text.js';

export function dataCommand(): Command {
  const command = new Command('data').description('fetch, check and describe a data set');
  addOptions(command, [...dataKeys, 'normalise', 'seed', 'json', 'quiet', 'verbose']);
  return command.action(async (flags: Record<string, unknown>) => {
    const config = resolveData({ flags, env: process.env });
    const dataset = await loadData({
      ...config,
      holdOut: true,
      onNotice: (sentence) => {
        if (!config.quiet) process.stderr.write(`${sentence}\n`);
      },
      signal: interruptible(() => undefined),
    });
    const lines = config.json ? [JSON.stringify(described(dataset))] : linesOf(dataset);
    process.stdout.write(`${lines.join('\n')}\n`);
  });
}

function described({ train, test, ...rest }: Dataset): object {
  return {
    ...rest,
    trainSamples: train.count,
    testSamples: test.count,
    trainSamplesOfClass: countsOf(train, rest.classes),
    testSamplesOfClass: countsOf(test, rest.classes),
  };
}

function linesOf(dataset: Dataset): string[] {
  const { name, source, shape, inputType, classes, classNames, note, files } = dataset;
  const values = inputType === 'uint8' ? 'bytes' : 'float32 values';
  return [
    `${name} from ${source}`,
    `${shape.join(' x ')} ${values} a sample, ${classes} classes`,
    ...(classNames ? [`classes: ${classNames.join(', ')}`] : []),
    `train: ${splitText(dataset.train, classes)}`,
    `test:  ${splitText(dataset.test, classes)}`,
    normalisationText(dataset.normalisation),
    ...(note === undefined ? [] : [note]),
    ...files.map((file) => `${file.sha256}  ${file.name}`),
  ];
}

function splitText(split: Split, classes: number): string {
  const each = countsOf(split, classes).map(count).join(' ');
  return `${count(split.count)} samples; of each class ${each}`;
}

function countsOf({ labels }: Split, classes: number): number[] {
  const each = new Array<number>(classes).fill(0);
  for (const label of labels) each[label] = (each[label] ?? 0) + 1;
  return each;
}

const SHOWN = 8;

function normalisationText({ scale, mean, deviation }: Normalisation): string {
  const numbers = (values: readonly number[]): string => {
    const shown = values.slice(0, SHOWN).map((value) => String(Number(value.toPrecision(6))));
    return `${shown.join(', ')}${values.length > SHOWN ? ', …' : ''}`;
  };
  const by = scale === 1 ? 'a value' : `a value / ${scale}`;
  return `normalised: (${by} - mean) / deviation; mean ${numbers(mean)}; deviation ${numbers(deviation)}`;
}
