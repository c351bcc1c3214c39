import { cp, readFile, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { type Place, test } from './support/place.js';

/** A Keras model's config: branches, zeros around an image, dropout. */
function config(filters: number): object {
  const layer = (class_name: string, name: string, more: object, ...taken: string[]) => ({
    class_name,
    name,
    config: { name, ...more },
    inbound_nodes: taken.length === 0 ? [] : [taken.map((from) => [from, 0, 0, {}])],
  });
  const convolution = { filters, kernel_size: 3, activation: 'relu' };
  const layers = [
    layer('InputLayer', 'image', { batch_input_shape: [null, 28, 28, 1] }),
    layer('MaxPooling2D', 'small', { pool_size: 4, padding: 'valid' }, 'image'),
    layer('ZeroPadding2D', 'zeros', { padding: [[1, 1], [1, 1]] }, 'small'), // prettier-ignore
    layer('Conv2D', 'first', { ...convolution, padding: 'valid' }, 'zeros'),
    layer('Conv2D', 'second', { ...convolution, padding: 'same' }, 'first'),
    layer('Add', 'sum', {}, 'second', 'first'),
    layer('Dropout', 'some', { rate: 0.25 }, 'sum'),
    layer('Flatten', 'flat', {}, 'some'),
    layer('Dropout', 'more', { rate: 0.5 }, 'flat'),
    layer('Dense', 'digits', { units: 10, activation: 'softmax' }, 'more'),
  ];
  return { class_name: 'Functional', config: { name: 'branches', layers } };
}

async function described(place: Place, filters = 4): Promise<string> {
  const file = place.at('branches.json');
  await writeFile(file, JSON.stringify(config(filters)));
  return file;
}

describe.concurrent('--model with a file', () => {
  test('trains to the same weights on any fleet, what is dropped included', async ({ place }) => {
    const flags = ['--model', await described(place), '--steps', '40', '--batch', '100'];
    const alone = await place.result(['train', ...flags, '--threads', '1']);
    expect(alone).toMatchObject({ outcome: 'complete' });
    const { running, url } = await place.coordinator([
      ...flags,
      '--threads',
      '1',
      '--workers',
      '2',
    ]);
    for (const threads of ['1', '2']) place.worker(url, ['--threads', threads]);
    const result = await running.event('result');
    expect(result.weightsSha256).toBe(alone.weightsSha256);
    const native = await place.result(['train', ...flags], { env: { DTRAIN_ENGINE: 'auto' } });
    expect(native.weightsSha256).toBe(alone.weightsSha256);
  });

  test('starts from the weights that it has, whichever file they are in', async ({ place }) => {
    const flags = ['--steps', '1', '--batch', '64'];
    const before = ['--model', await described(place), '--epochs', '1', '--out', 'before'];
    const first = await place.result(['train', ...before]);
    const more = await Promise.all(
      ['before', 'before/model.json', 'before/model.safetensors'].map((model, index) =>
        place.result(['train', '--model', model, ...flags, '--out', `more${index}`]),
      ),
    );
    expect(new Set(more.map(({ weightsSha256 }) => weightsSha256)).size).toBe(1);
    const [{ testAccuracy } = {}] = more;
    expect(Number(testAccuracy)).toBeGreaterThan(Number(first.testAccuracy) - 0.02);
    expect(Number(testAccuracy)).toBeGreaterThan(0.7);
  });

  test('is resumed as it was, and not after a change', async ({ place }) => {
    const model = await described(place);
    const flags = ['--model', model, '--batch', '500', '--epochs', '2'];
    const whole = await place.result(['train', ...flags, '--out', 'whole']);
    await place.result(['train', ...flags, '--steps', '20', '--out', 'part']);
    await cp(place.at('part'), place.at('changed'), { recursive: true });
    const resume = ['--override', 'steps', '--steps', '1000'];
    const resumed = await place.result(['train', '--resume', 'part', ...resume]);
    expect(resumed.steps).toBe(whole.steps);
    const saved = JSON.parse(await readFile(place.at('part/config.json'), 'utf8')) as object;
    expect(saved).toMatchObject({ model });

    await described(place, 5);
    const refused = await place.run(['train', '--resume', 'changed', ...resume]);
    expectError(refused, 1, /branches\.json is not what it was when the run began/);
  });

  test('is refused where there is none, or it does not fit the data', async ({ place }) => {
    const missing = await place.run(['train', '--model', 'lenet6']);
    expectError(missing, 2, /There is no model .*lenet6: give --model lenet5, .*cnn, or a model's/);
    const file = await described(place);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"units":10', '"units":7'));
    const misfit = await place.run(['train', '--model', file]);
    expectError(misfit, 1, /branches\.json takes 28x28x1 samples of 7 classes; mnist-10k has .*10/);
  });
});
