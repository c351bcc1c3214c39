import { cp } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { npy, writeNpz } from '../data/sources/files.js';
import { kerasModel } from '../model/helpers.js';
import { expectError } from './support/expectations.js';
import { type Place, test } from './support/place.js';

/*
 * `branches` and `separable` were trained in Keras 3.9 (compiled, SGD, the samples below), saved with
 * `model.save('….keras')`, and converted with `tensorflowjs_converter` 4.22, `--input_format
 * keras_keras --output_format tfjs_layers_model`. Their losses and accuracies are what Keras'
 * `evaluate` said of them.
 */
const SAMPLES = 12;

async function withSamples(place: Place): Promise<string[]> {
  const pixels = Float32Array.from({ length: SAMPLES * 36 }, (_, at) => ((at * 37) % 101) / 100);
  const classes = Uint8Array.from({ length: SAMPLES }, (_, at) => at % 3);
  await writeNpz(place.at('data.npz'), {
    x: npy('<f4', [SAMPLES, 6, 6, 1], pixels),
    y: npy('|u1', [SAMPLES], classes),
  });
  return ['--data', 'data.npz', '--normalise', 'none'];
}

describe.concurrent("A model of Keras' converter", () => {
  test.for([
    ['branches', 'wasm', 0.6808046698570251, 9],
    ['separable', 'tfjs', 0.9351539611816406, 11],
  ] as const)(
    '%s: has the loss and accuracy that Keras finds, and is trained from there on',
    async ([name, engine, loss, correct], { place }) => {
      await cp(kerasModel(name), place.at(name), { recursive: true });
      const data = await withSamples(place);
      const evaluated = await place.run(['eval', name, ...data, '--engine', engine, '--json']);
      expect(evaluated.code, evaluated.stderr).toBe(0);
      const found = JSON.parse(evaluated.stdout) as { testLoss: number; testAccuracy: number };
      expect(Math.abs(found.testLoss - loss), `loss ${found.testLoss}`).toBeLessThan(2e-6);
      expect(found.testAccuracy).toBeCloseTo(correct / SAMPLES, 6);

      // By next to nothing, so that the loss tells that it began with these weights.
      const training = ['--batch', '8', '--steps', '2', '--lr', '1e-6', '--threads', '1'];
      const flags = ['--model', name, ...data, '--engine', engine, ...training, '--out', 'tuned'];
      const tuned = await place.result(['train', ...flags]);
      expect(tuned).toMatchObject({ outcome: 'complete', engine });
      const again = ['eval', 'tuned', '--engine', engine, '--data', 'data.npz', '--json'];
      const { testLoss } = JSON.parse((await place.run(again)).stdout) as { testLoss: number };
      expect(Math.abs(testLoss - loss), `loss ${testLoss}`).toBeLessThan(0.01);
    },
  );

  test('does not say how its samples were normalised; a run does', async ({ place }) => {
    await cp(kerasModel('branches'), place.at('branches'), { recursive: true });
    const [, data = ''] = await withSamples(place);
    const unknown = await place.run(['eval', 'branches', '--data', data]);
    expect(unknown.stderr).toMatch(/^branches\/model\.json does not say .* add --normalise unit /);

    const flags = ['--model', 'branches', '--data', data, '--normalise', 'none', '--steps', '1'];
    await place.result(['train', ...flags, '--batch', '2', '--out', 'run']);
    const known = ['eval', 'run', '--normalise', 'none'];
    expectError(await place.run(known), 2, /run\/data\.json says it of this one: leave it out/);
  });
});
