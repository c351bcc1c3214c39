import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { buildLibrary } from '../../src/engine/native/build.js';
import { type Compiler, findCompilers } from '../../src/engine/native/compilers.js';
import { ObjectCache } from '../../src/engine/native/object-cache.js';
import { probe } from '../../src/engine/native/probe.js';
import { compileForWasm } from '../../src/engine/wasm/compile.js';
import { lenet5, lenet5Of1998 } from '../../src/model/lenet5.js';
import type { Layer } from '../../src/model/layers.js';
import { buildModel, type Model } from '../../src/model/model.js';
import { type OptimizerName, optimizers } from '../../src/optim/optimizer.js';
import { graph } from '../model/helpers.js';
import { sampleModels } from '../reference/arbitraries.js';

const compilers = await findCompilers({});
const [compiler] = compilers;
const where = compiler ? '' : ' (skipped: there is no C compiler here)';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dtrain-native-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A compiler with more flags, as `CC` may name it; undefined if it does not take them. */
async function withFlags(flags: string): Promise<Compiler | undefined> {
  const [found] = await findCompilers({ CC: `${compiler?.command.join(' ') ?? ''} ${flags}` });
  return found;
}

/** Micro-batches a second, or undefined if the library's bits are not the module's. */
async function rateOf(
  model: Model,
  by: Compiler,
  optimizer: OptimizerName = 'momentum',
): Promise<number | undefined> {
  const { module, program } = await compileForWasm(model, optimizer);
  const library = await buildLibrary(
    model,
    optimizer,
    by,
    new ObjectCache(await temporaryFolder()),
  );
  return probe(model, optimizer, { module, workSize: program.workSize }, library);
}

const tail: Layer[] = [{ type: 'flatten' }, { type: 'dense', units: 5 }];

const models: [string, Model][] = [
  ['LeNet-5', buildModel(lenet5)],
  ['LeNet-5 of 1998', buildModel(lenet5Of1998)],
  [
    'strides and padding',
    buildModel({
      name: 'strided',
      input: [9, 8, 2],
      layers: [
        { type: 'conv2d', filters: 7, kernel: [4, 3], strides: [2, 1], padding: 'same' },
        { type: 'tanh' },
        { type: 'averagePool2d', size: [3, 2], strides: [2, 1], padding: 'same' },
        { type: 'sigmoid' },
        { type: 'maxPool2d', size: [2, 2], strides: [1, 1], padding: 'same' },
        ...tail,
      ],
    }),
  ],
  [
    'float32 samples',
    buildModel({
      name: 'floats',
      input: [5, 4, 3],
      inputType: 'float32',
      layers: [
        { type: 'conv2d', filters: 4, kernel: [3, 3], strides: [1, 1], padding: 'same' },
        ...tail,
      ],
    }),
  ],
  ['a graph', buildModel(graph)],
  ...sampleModels(5, 1).map((model, index): [string, Model] => [`random model ${index}`, model]),
];

describe.skipIf(!compiler)(`C gives the bits of WebAssembly${where}`, () => {
  test.each(compilers.map((each): [string, Compiler] => [each.name, each]))(
    'compiled by %s',
    async (_, by) => {
      for (const [name, model] of models) expect(await rateOf(model, by), name).toBeGreaterThan(0);
    },
  );

  test.each(['-mno-avx512f', '-mno-avx'])('on a processor without more, %s', async (flags) => {
    const plain = process.arch === 'x64' ? await withFlags(flags) : compiler;
    for (const [name, model] of models) {
      expect(plain && (await rateOf(model, plain)), name).toBeGreaterThan(0);
    }
  });

  test('if CC is a program that is given the compiler, with options behind', async () => {
    const [found] = await findCompilers({ CC: `env ${compiler?.command.join(' ') ?? ''} -O2` });
    expect(found).toMatchObject({ name: compiler?.name, options: ['-O2'] });
    expect(found && (await rateOf(buildModel(lenet5), found))).toBeGreaterThan(0);
  });

  test.each(optimizers)('with the optimizer %s', async (optimizer) => {
    const [, model] = models[2] ?? [];
    expect(model && compiler && (await rateOf(model, compiler, optimizer))).toBeGreaterThan(0);
  });

  test('or the probe says that it does not', async () => {
    // Fused multiply-adds round once where the contract wants it twice.
    const fused = await withFlags('-ffp-contract=fast -mfma');
    const [, model] = models[0] ?? [];
    if (!fused || !model) return;
    expect(await rateOf(model, fused)).toBeUndefined();
  });
});

describe('compiled libraries', () => {
  const make = (content: string) => async (folder: string) => {
    const file = path.join(folder, 'made');
    await writeFile(file, content);
    return file;
  };

  test('are kept, and found again', async () => {
    const cache = new ObjectCache(path.join(await temporaryFolder(), 'native'));
    expect(await cache.get('k')).toBeUndefined();
    const file = await cache.put('k', make('content'));
    expect(await cache.get('k')).toBe(file);
    expect(await cache.get('other')).toBeUndefined();
  });

  test('that are damaged are not used again', async () => {
    const cache = new ObjectCache(path.join(await temporaryFolder(), 'native'));
    await writeFile(await cache.put('k', make('content')), 'contend');
    expect(await cache.get('k')).toBeUndefined();
  });

  test('leave nothing behind if they cannot be made', async () => {
    const folder = path.join(await temporaryFolder(), 'native');
    const failing = new ObjectCache(folder).put('k', () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await readdir(folder)).toEqual([]);
  });

  test('may be made by two at once', async () => {
    const cache = new ObjectCache(path.join(await temporaryFolder(), 'native'));
    const [one, two] = await Promise.all(['a', 'a'].map((text) => cache.put('k', make(text))));
    expect(one).toBe(two);
    expect(await readFile(one ?? '', 'utf8')).toBe('a');
  });

  test.skipIf(process.getuid === undefined)(
    'are never run from a folder that others can write to (skipped where files have no modes)',
    async () => {
      const folder = await temporaryFolder();
      await chmod(folder, 0o777);
      await expect(new ObjectCache(folder).get('k')).rejects.toThrow('can be written by others');
    },
  );
});
