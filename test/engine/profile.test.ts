import { describe, expect, test } from 'vitest';
import { profileKernels } from '../../src/engine/profile/profile.js';
import { flopsOf, partsOf } from '../../src/engine/profile/parts.js';
import { ProbeMemory } from '../../src/engine/probe-memory.js';
import { compile, type Program } from '../../src/engine/program.js';
import { wasmTarget } from '../../src/engine/targets.js';
import { emitWasm } from '../../src/engine/wasm/emit.js';
import { lenet5, lenet5Of1998 } from '../../src/model/lenet5.js';
import { buildModel, type Model } from '../../src/model/model.js';
import { trainingFlops } from '../../scripts/flops.js';

const models: [string, Model][] = [
  ['LeNet-5', buildModel(lenet5)],
  ['LeNet-5 of 1998', buildModel(lenet5Of1998)],
];

/** The bits that kernels leave in the piece when they are called in turn as `gradients` is. */
function piece(model: Model, { kernels, workSize }: Program, names: readonly string[]): number[] {
  const memory = new ProbeMemory(model, 'sgd');
  const args = memory.gradientArguments(memory.floats(new Float32Array(workSize)));
  const module = new WebAssembly.Module(emitWasm(kernels));
  const instance = new WebAssembly.Instance(module, { env: { memory: memory.memory } });
  for (const name of names) {
    (instance.exports[name] as (...places: readonly number[]) => void)(...args);
  }
  return [...new Uint32Array(memory.memory.buffer, args.at(-1), model.parameterCount + 2)];
}

describe.each(models)('a profile of %s', (_, model) => {
  const program = compile(model, 'sgd', wasmTarget);
  const parts = partsOf(program);

  test('is of kernels that are the gradients, one after the other', () => {
    const kernels = parts.map(({ kernel }) => kernel);
    const names = kernels.map(({ name }) => name);
    const whole = piece(model, program, ['gradients']);
    expect(whole.some((word) => word !== 0)).toBe(true);
    expect(piece(model, { ...program, kernels }, names)).toEqual(whole);
  });

  test('counts every operation with a weight once', () => {
    const flops = parts.reduce((sum, { name }) => sum + flopsOf(model, name), 0);
    expect(flops).toBe(trainingFlops(model));
  });

  test('has each kernel, with its speed where it has weights', async () => {
    const { peakGflops, kernels } = await profileKernels(model, 'sgd', {});
    expect(kernels.map(({ name }) => name)).toEqual(parts.map(({ name }) => name));
    expect(peakGflops).toBeGreaterThan(0);
    for (const { name, microseconds, gflops } of kernels) {
      expect(microseconds, name).toBeGreaterThan(0);
      if (flopsOf(model, name) > 0) expect(gflops, name).toBeGreaterThan(0);
      else expect(gflops, name).toBeUndefined();
    }
  });
});
