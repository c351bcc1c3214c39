import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convertModel } from '../../coordinator/convert.js';
import { trainedModel } from '../../coordinator/run-model.js';
import { buildModel, type Model } from '../../src/model/model.js';
import { readSafetensors, safetensorsFile } from '../../src/model/files/safetensors.js';
import { bits, kerasModel, randomWeights, specs, temporaryFolder } from './helpers.js';
import { hasPythonPackages, runPython } from './python.js';

const available = hasPythonPackages('safetensors', 'numpy');
const reason = available ? '' : ' (skipped: python3 cannot import safetensors and numpy)';

const LIST = `
import hashlib, json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework='np') as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    print(json.dumps({'metadata': file.metadata(), 'tensors': {
        name: [str(tensor.dtype), tensor.shape, hashlib.sha256(tensor.tobytes()).hexdigest()]
        for name, tensor in tensors.items()
    }}))
`;

const SAVE_AGAIN = `
import sys
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
with safe_open(sys.argv[1], framework='np') as file:
    metadata = file.metadata()
save_file(dict(reversed(load_file(sys.argv[1]).items())), sys.argv[2], metadata)
`;

/** Of each tensor: its type, its shape, the hash of its values. */
function hashes({ parameters }: Pick<Model, 'parameters'>, weights: Float32Array) {
  return parameters.map(({ name, shape, offset, size }) => {
    const bytes = new Uint8Array(weights.slice(offset, offset + size).buffer);
    return [name, ['float32', shape, createHash('sha256').update(bytes).digest('hex')]] as const;
  });
}

describe.skipIf(!available)(`Python's safetensors${reason}`, () => {
  it.each(specs)('reads $name, every bit of it', async (spec) => {
    const model = buildModel(spec);
    const weights = randomWeights(model, 8);
    const path = join(await temporaryFolder(), 'model.safetensors');
    await writeFile(path, safetensorsFile(model, weights));

    expect(JSON.parse(runPython(LIST, path))).toEqual({
      metadata: { format: 'dtrain', model: JSON.stringify(spec) },
      tensors: Object.fromEntries(hashes(model, weights)),
    });
  });

  it('reads a model of layers that TensorFlow.js alone has', async () => {
    const { model, weights } = await trainedModel(kerasModel('separable'), 'tfjs');
    const path = join(await temporaryFolder(), 'model.safetensors');
    await convertModel(kerasModel('separable'), path);
    const { tensors } = JSON.parse(runPython(LIST, path)) as { tensors: object };
    expect(tensors).toEqual(Object.fromEntries(hashes(model, weights)));
  });

  it.each(specs)(
    'writes $name, in an order of its own, so that it can be read back',
    async (spec) => {
      const model = buildModel(spec);
      const weights = randomWeights(model, 9);

      const folder = await temporaryFolder();
      const ours = join(folder, 'ours.safetensors');
      const theirs = join(folder, 'theirs.safetensors');
      await writeFile(ours, safetensorsFile(model, weights));
      runPython(SAVE_AGAIN, ours, theirs);

      expect(await readFile(theirs)).not.toEqual(await readFile(ours));
      const read = await readSafetensors(theirs);
      expect(read.model).toEqual(model);
      expect(bits(read.weights)).toEqual(bits(weights));
    },
  );
});
