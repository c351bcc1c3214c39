import { describe, expect, it } from 'vitest';
import { compileUpdater } from '../../../src/engine/program.js';
import { isLayersModel, parseRunModel } from '../../../src/engine/run-model.js';
import { wasmTarget } from '../../../src/engine/targets.js';
import { layersSpecOf } from '../../../src/engine/tfjs/spec.js';
import { emitWasm } from '../../../src/engine/wasm/emit.js';
import { compileModule, instantiateUpdater } from '../../../src/engine/wasm/instance.js';
import { lenet5 } from '../../../src/model/lenet5.js';
import { buildModel } from '../../../src/model/model.js';
import { stepHyperparameters } from '../../../src/optim/optimizer.js';

const model = buildModel(lenet5);

describe("a model's description over the network", () => {
  const spec = JSON.parse(JSON.stringify(layersSpecOf(model))) as Record<string, unknown>;

  it('is taken as it was sent', () => {
    const parsed = parseRunModel(spec);
    expect(isLayersModel(parsed)).toBe(true);
    expect(parsed.spec).toEqual(spec);
    expect(isLayersModel(parseRunModel(lenet5))).toBe(false);
  });

  it.each([
    ['parameterCount', 1e12],
    ['parameterCount', -1],
    ['trainableCount', 0.5],
    ['loss', 'hinge'],
    ['classes', 1],
    ['name', '../../evil'],
    ['input', [28, 28]],
    ['topology', { class_name: 'Sequential', config: { layers: [{ class_name: 'Lambda' }] } }],
    ['topology', 'x'],
  ])('is refused with %s %j', (key, value) => {
    expect(() => parseRunModel({ ...spec, [key]: value })).toThrow(/model/i);
  });
});

it('weights that the optimizer does not move follow their mean difference', async () => {
  const [count, trainable, samples] = [23, 14, 4];
  const { kernels, pieceSize } = compileUpdater(count, 'momentum', wasmTarget, trainable);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  const module = await compileModule(emitWasm(kernels), 'approximate');
  const updater = instantiateUpdater(module, memory);
  const [weights, piece, state, hyper, check] = [0, 1024, 2048, 3072, 4096] as const;
  const view = (place: number, length: number) => new Float32Array(memory.buffer, place, length);
  view(weights, count).fill(1);
  view(piece, pieceSize).fill(2);
  const settings = { momentum: 0.9, weightDecay: 0 };
  view(hyper, 16).set(stepHyperparameters(settings, 0.1, samples, 0));
  updater.update(weights, piece, state, hyper, check, 0);
  const moved = [...view(weights, count)];
  expect(moved.slice(0, trainable)).toEqual(Array(trainable).fill(Math.fround(1 - 0.1 * 0.5)));
  expect(moved.slice(trainable)).toEqual(Array(count - trainable).fill(0.5));
  expect([...view(check, 5)]).toEqual([0, 0, 0, 0, 0]);
});
