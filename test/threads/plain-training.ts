import { Augmenter } from '../../src/augment/augmenter.js';
import { batchOf } from '../../src/data/batches.js';
import { epochOrder } from '../../src/data/order.js';
import { LANES } from '../../src/engine/ir/types.js';
import { CORRECT, LOSS } from '../../src/engine/program.js';
import { initialWeights } from '../../src/model/initial-weights.js';
import { EngineUnderTest } from '../engine/harness.js';
import { referenceSum } from '../reduce/fake-sums.js';
import { hyperOf, model, type Problem } from './problem.js';

/** What every way of training must end in, bit for bit. */
export interface Trained {
  readonly weights: Float32Array;
  readonly steps: readonly { step: number; loss: number; correct: number }[];
}

/** Trains as it is described, without threads: micro-batch by micro-batch. */
export async function plainTraining(problem: Problem, steps: number): Promise<Trained> {
  const { seed, batch, training, lists, table, compiled } = problem;
  const { program } = compiled;
  const augmenter = problem.augmentation && new Augmenter(problem.augmentation, seed);
  const engine = await EngineUnderTest.create(model, 'momentum');
  const bytes = (content: Uint8Array): number => {
    const { place } = engine.floats(Math.ceil(content.length / 4));
    new Uint8Array(engine.memory.buffer).set(content, place);
    return place;
  };
  const weights = engine.floats(model.parameterCount);
  weights.values.set(initialWeights(model, seed));
  const images = bytes(training.images);
  const labels = bytes(training.labels);
  const byteValues = engine.floats(256);
  byteValues.values.set(table);
  const state = engine.floats(model.parameterCount);
  const hyper = engine.floats(16);
  const check = engine.floats(32);
  const work = engine.floats(program.workSize).place;
  const piece = engine.floats(program.pieceSize);
  const indices = engine.floats(LANES).place;
  const draws = engine.floats(3).place;
  const plan = { samples: lists.training.length, batch };

  const sums = Array.from({ length: steps }, (_, step) => {
    const { epoch, first, samples, microBatches } = batchOf(plan, step);
    const order = epochOrder(plan.samples, seed, epoch);
    const leaves = Array.from({ length: microBatches }, (__, leaf) => {
      const count = Math.min(LANES, samples - leaf * LANES);
      const chosen = Array.from({ length: LANES }, (___, lane) => {
        const place = first + leaf * LANES + (lane < count ? lane : 0);
        return lists.training[order(place)] ?? 0;
      });
      new Uint32Array(engine.memory.buffer, indices, LANES).set(chosen);
      if (augmenter) {
        // Each sample anew, in the place of the old one.
        const memory = new Uint8Array(engine.memory.buffer, images);
        const { sampleBytes } = augmenter;
        for (const sample of chosen) {
          const both = new Uint8Array(2 * sampleBytes);
          both.set(training.images.subarray(sample * sampleBytes, (sample + 1) * sampleBytes));
          augmenter.augment(epoch, sample, both, 0, sampleBytes);
          memory.set(both.subarray(sampleBytes), sample * sampleBytes);
        }
      }
      new Uint32Array(engine.memory.buffer, draws, 3).set([seed, step, leaf * LANES]);
      engine.engine.gradients(
        weights.place,
        images,
        labels,
        byteValues.place,
        indices,
        count,
        work,
        piece.place,
        draws,
      );
      return piece.values.slice();
    });
    const sum = referenceSum(leaves);
    piece.values.set(sum);
    hyper.values.set(hyperOf(problem, step, samples));
    engine.engine.update(weights.place, piece.place, state.place, hyper.place, check.place, 0);
    const loss = sum[model.parameterCount + LOSS] ?? NaN;
    return { step, loss, correct: sum[model.parameterCount + CORRECT] ?? NaN };
  });
  return { weights: weights.values.slice(), steps: sums };
}
