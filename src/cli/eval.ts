import { Command } from 'commander';
import { evaluateModel } from '../../coordinator/evaluate.js';
import { addOptions } from '../config/flags.js';
import { dataKeys } from '../config/options.js';
import { resolveInspection } from '../config/resolve.js';
import { interruptible } from './interrupt.js';
import { engineText } from '../engine/engine-text.js';
import { count, percent } from './text.js';

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('accuracy, loss and confusion matrix of a trained model over the test set')
    .argument('<run|model>', "a run's folder, a model.json or a .safetensors file");
  addOptions(command, [...dataKeys, 'normalise', 'engine', 'threads', 'json', 'quiet', 'verbose']);
  return command.action(async (file: string, flags: Record<string, unknown>) => {
    const config = resolveInspection({ flags, env: process.env });
    const signal = interruptible(() => undefined);
    const onNotice = (sentence: string): void => {
      if (!config.quiet) process.stderr.write(`${sentence}\n`);
    };
    const { evaluation, dataset, model, engine } = await evaluateModel(file, config, {
      onNotice,
      signal,
    });
    const { samples, accuracy, loss, confusion } = evaluation;
    if (config.json) {
      const { name, classNames } = dataset;
      const about = { model, dataset: name, engine: engine.name, arithmetic: engine.arithmetic };
      const results = { samples, testAccuracy: accuracy, testLoss: loss, confusion };
      const values = { ...about, ...results, ...(classNames && { classNames }) };
      process.stdout.write(`${JSON.stringify(values)}\n`);
      return;
    }
    const by =
      engine.arithmetic === 'approximate'
        ? `, by the ${engineText(engine.name, engine.note, engine.arithmetic)}`
        : '';
    process.stdout.write(
      `${model} on ${count(samples)} test samples of ${dataset.name}${by}\n` +
        `accuracy ${percent(accuracy)}, loss ${loss.toFixed(4)}\n${matrix(confusion, dataset.classNames)}\n`,
    );
  });
}

/** Rows are what the samples are, columns what the model takes them for. */
function matrix(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[] | undefined,
): string {
  const names = confusion.map((_, index) => (classNames?.[index] ?? String(index)).slice(0, 12));
  const texts = [...names, ...confusion.flat().map(String)];
  const width = Math.max(4, ...texts.map((text) => text.length)) + 1;
  const cells = (values: readonly (string | number)[]): string =>
    values.map((value) => String(value).padStart(width)).join('');
  return [
    `is \\ taken for${cells(names)}`,
    ...confusion.map((row, label) => `${(names[label] ?? '').padStart(14)}${cells(row)}`),
  ].join('\n');
}
