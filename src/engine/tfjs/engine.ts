import { DtrainError } from '../../errors.js';
import { sizeOf } from '../../model/model.js';
import type { Surroundings, ThreadEngine } from '../engine.js';
import { SampleReader } from '../sample-reader.js';
import { sampleLayout } from '../sample-values.js';
import { LayersEngine } from './layers-engine.js';
import { loadOnNode, loadTensorFlow } from './libraries.js';
import type { TfjsEngine } from './prepare.js';

/**
 * Starts TensorFlow.js in the calling thread, with the model built there.
 * @throws DtrainError ENGINE_MISSING, MODEL_INVALID
 */
export async function startTfjs(
  { spec, folder }: TfjsEngine,
  surroundings: Surroundings,
): Promise<ThreadEngine> {
  const tensorFlow = folder === undefined ? await loadTensorFlow() : loadOnNode(folder);
  const { topology, loss, parameterCount, trainableCount } = spec;
  const engine = await LayersEngine.create(tensorFlow, topology, loss, 0);
  const same = [
    engine.parameterCount === parameterCount,
    engine.trainableCount === trainableCount,
    engine.sampleSize === sizeOf(spec.input),
    Math.max(2, engine.outputs) === spec.classes,
  ];
  if (same.includes(false)) {
    throw new DtrainError('MODEL_INVALID', 'The model is another than its description says.');
  }
  const layout = sampleLayout({ spec, parameterCount, classes: spec.classes });
  const reader = new SampleReader(surroundings, layout, parameterCount);
  return {
    gradients: (call, piece, draws) => {
      const { samples, labels } = reader.read(call);
      const chance = reader.chance(draws);
      const { gradient, loss, correct } = engine.gradients(reader.weights, samples, labels, chance);
      reader.writePiece(piece, gradient, loss, correct);
    },
    evaluate: (call, out) => {
      const { samples, labels } = reader.read(call);
      const { losses, classes } = engine.evaluate(reader.weights, samples, labels);
      reader.writeRows(out, labels, losses, classes);
    },
  };
}
