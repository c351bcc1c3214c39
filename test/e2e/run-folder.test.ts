import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { readJson, readTensors, sha256 } from './support/files.js';
import { test } from './support/place.js';
import type { JsonEvent } from './support/running.js';

describe.concurrent('the run folder', () => {
  test('holds what the events say, and the weights in two formats', async ({ place }) => {
    const flags = ['--batch', '1000', '--epochs', '2', '--name', 'first'];
    const result = await place.result(['train', ...flags]);
    const folder = place.at('runs/first');
    expect(result.runDir).toBe(folder);
    const read = (name: string): Promise<Buffer> => readFile(path.join(folder, name));

    expect(sha256(await read('weights.bin'))).toBe(result.weightsSha256);
    const tensors = await readTensors(path.join(folder, 'model.safetensors'));
    const { weightsManifest } = (await readJson(path.join(folder, 'model.json'))) as {
      weightsManifest?: { paths: string[]; weights: { name: string }[] }[];
    };
    expect(weightsManifest?.[0]?.paths).toEqual(['weights.bin']);
    const names = weightsManifest?.[0]?.weights.map(({ name }) => name) ?? [];
    expect([...tensors.keys()].toSorted()).toEqual(names.toSorted());
    const inOrder = names.map((name) => tensors.get(name) ?? Buffer.alloc(0));
    expect(sha256(Buffer.concat(inOrder))).toBe(result.weightsSha256);
    expect(Buffer.concat(inOrder)).toHaveLength(61_706 * 4);

    expect(await readJson(path.join(folder, 'summary.json'))).toMatchObject(result);
    expect(await readJson(path.join(folder, 'config.json'))).toMatchObject({
      model: 'lenet5',
      batch: 1_000,
      epochs: 2,
      optimizer: 'momentum',
      lr: 0.05,
      seed: 1,
    });
    const metrics = (await read('metrics.jsonl')).toString().trimEnd().split('\n');
    const kinds = metrics.map((line) => (JSON.parse(line) as JsonEvent).event);
    expect(kinds.filter((kind) => kind === 'epoch')).toHaveLength(2);
    expect(kinds).toContain('step');
  });

  test('config.json makes the same run again, under another name', async ({ place }) => {
    const flags = ['--steps', '12', '--optimizer', 'adamw', '--seed', '7', '--validation', '100'];
    const first = await place.result(['train', ...flags, '--name', 'first', '--threads', '1']);
    const config = ['--config', 'runs/first/config.json'];
    const again = await place.result(['train', ...config, '--name', 'again', '--threads', '2']);
    expect(again.runDir).toBe(place.at('runs/again'));
    expect(again.weightsSha256).toBe(first.weightsSha256);
  });

  test('config.json of a run that was given --out serves with --name alone', async ({ place }) => {
    const first = await place.result(['train', '--steps', '5', '--out', 'first']);
    const config = ['--config', 'first/config.json'];
    const again = await place.result(['train', ...config, '--name', 'again']);
    expect(again.runDir).toBe(place.at('runs/again'));
    expect(again.weightsSha256).toBe(first.weightsSha256);
  });

  test('config.json does not keep --json, which is not about the training', async ({ place }) => {
    await place.result(['train', '--steps', '2', '--out', 'first']);
    const config = ['--config', 'first/config.json', '--out', 'second'];
    const { code, stdout } = await place.run(['train', ...config]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Test accuracy/m);
    expect(stdout).not.toMatch(/^\{/m);
  });

  test("a coordinator's config.json trains on one machine", async ({ place }) => {
    const flags = ['--steps', '10', '--threads', '0', '--out', 'first'];
    const { running, url } = await place.coordinator(flags);
    place.worker(url);
    const first = await running.event('result');
    const config = ['--config', 'first/config.json', '--out', 'second', '--threads', '1'];
    const again = await place.result(['train', ...config]);
    expect(again.weightsSha256).toBe(first.weightsSha256);
  });

  test('runs without a name never meet, even if they start at once', async ({ place }) => {
    const runs = [1, 2, 3].map(() => place.result(['train', '--steps', '2', '--threads', '1']));
    const results = await Promise.all(runs);
    expect(new Set(results.map(({ runDir }) => runDir)).size).toBe(3);
  });
});
