import { Command } from 'commander';
import { trainedModel } from '../../coordinator/run-model.js';
import { addOptions } from '../config/flags.js';
import { resolveInspection } from '../config/resolve.js';
import { prepareImage } from '../predict/prepare-image.js';
import { openTrainedModel } from '../predict/trained-model.js';
import { percent } from './text.js';

/** Classes that a line for people names, the most probable first. */
const SHOWN = 3;

export function predictCommand(): Command {
  const command = new Command('predict')
    .description('what a trained model takes images for')
    .argument('<run|model>', "a run's folder, a model.json or a .safetensors file")
    .argument('<images...>', 'image files: PNG, JPEG, WebP, GIF or TIFF, of any size');
  addOptions(command, ['engine', 'normalise', 'json', 'verbose']);
  return command.action(
    async (place: string, files: readonly string[], flags: Record<string, unknown>) => {
      const { engine, json, normalise } = resolveInspection({ flags, env: process.env });
      const { predictor, images, classNames } = await openTrainedModel(
        await trainedModel(place, engine),
        normalise,
      );
      for (const file of files) {
        const { bytes, inverted, centred } = await prepareImage(file, images);
        const probabilities = predictor.classify(bytes);
        const order = probabilities
          .map((_, index) => index)
          .sort((one, other) => (probabilities[other] ?? 0) - (probabilities[one] ?? 0));
        const [best = 0] = order;
        const name = (index: number): string => classNames[index] ?? String(index);
        if (json) {
          const answer = { file, class: best, name: name(best), probabilities };
          process.stdout.write(`${JSON.stringify({ ...answer, inverted, centred })}\n`);
          continue;
        }
        const shares = order
          .slice(0, SHOWN)
          .map((index) => `${name(index)} ${percent(probabilities[index] ?? 0)}`);
        process.stdout.write(`${file}: ${name(best)}  (${shares.join(', ')})\n`);
      }
    },
  );
}
