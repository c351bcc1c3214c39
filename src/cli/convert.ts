import { Command } from 'commander';
import { addOptions } from '../config/flags.js';
import { convertModel } from '../../coordinator/convert.js';

export function convertCommand(): Command {
  const command = new Command('convert')
    .description('write a model in another format: model.json for TensorFlow.js, or safetensors')
    .argument('<run|model>', "a run's folder, a model.json or a .safetensors file")
    .argument('<file>', 'what to write: a .json, with weights.bin beside it, or a .safetensors');
  addOptions(command, ['verbose']);
  return command.action(async (from: string, to: string) => {
    for (const file of await convertModel(from, to)) process.stdout.write(`${file}\n`);
  });
}
