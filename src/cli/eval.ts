import { Command } from 'commander';
import { evaluateModel } from '../../coordinator/evaluate.js';
import { addOptions } from '../config/flags.js';
import { resolveInspection } from '../config/resolve.js';
import { interruptible } from './interrupt.js';
import { engineText } from '../engine/engine-text.js';
import { count, percent } from './text.js';

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('accuracy, loss and confusion matrix of a trained model over the test set')
    .argument('<run|model>', "a run's folder, a model.json or a .safetensors file");
  addOptions(command, ['dataDir', 'engine', 'threads', 'json', 'quiet', 'verbose']);
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
      const { name, arithmetic } = engine;
      const about = { model, dataset, engine: name, arithmetic };
      const values = { ...about, samples, testAccuracy: accuracy, testLoss: loss, confusion };
      process.stdout.write(`${JSON.stringify(values)}\n`);
      return;
    }
    const by =
      engine.arithmetic === 'approximate'
        ? `, by the ${engineText(engine.name, engine.note, engine.arithmetic)}`
        : '';
    process.stdout.write(
      `${model} on ${count(samples)} test samples of ${dataset}${by}\n` +
        `accuracy ${percent(accuracy)}, loss ${loss.toFixed(4)}\n${matrix(confusion)}\n`,
    );
  });
}

/** Rows are what the samples are, columns what the model takes them for. */
function matrix(confusion: readonly (readonly number[])[]): string {
  const width = Math.max(4, ...confusion.flat().map((value) => String(value).length)) + 1;
  const cells = (values: readonly (string | number)[]): string =>
    values.map((value) => String(value).padStart(width)).join('');
  return [
    `is \\ taken for${cells(confusion.map((_, index) => index))}`,
    ...confusion.map((row, label) => `${String(label).padStart(14)}${cells(row)}`),
  ].join('\n');
}
