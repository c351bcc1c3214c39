import { expect, test } from 'vitest';
import {
  renamingFirst,
  withoutFileSync,
  withoutFolderSync,
  withoutRename,
} from '../coordinator/checkpoint/broken-disks.js';
import type { Parts } from './life.js';
import { objectionTo } from './objections.js';

const gone = /resumes from step \d+, but step \d+ was on the disk/;
const damaged = /nobody has damaged it, and yet: .* is damaged/;

test.each<[string, Partial<Parts>, RegExp]>([
  ['a file that is not synced', { disk: withoutFileSync }, damaged],
  ['a file that is synced after it has its name', { disk: renamingFirst }, damaged],
  ['a folder that is not synced', { disk: withoutFolderSync }, gone],
  ['a file that is written where it is to stay', { disk: withoutRename }, damaged],
  [
    'a checkpoint that is labelled one step late',
    { save: ({ meta, ...rest }) => ({ ...rest, meta: { ...meta, step: meta.step + 1 } }) },
    /what the checkpoint of step \d+ holds is not of that step/,
  ],
  [
    'a checkpoint without the samples so far',
    {
      save: ({ meta, ...rest }) => ({
        ...rest,
        meta: { ...meta, progress: { ...meta.progress, samples: 0 } },
      }),
    },
    /\d+ samples are accounted for, and there were 0/,
  ],
  [
    'a resume that forgets the optimizer state',
    { resume: ({ state, ...rest }) => ({ ...rest, state: state.map(() => 0) }) },
    /the weights after \d+ steps are not those of one member alone/,
  ],
  [
    'a resume with weights that are one bit off',
    { resume: ({ weights, ...rest }) => ({ ...rest, weights: oneBitOff(weights) }) },
    /the weights after \d+ steps are not those of one member alone/,
  ],
  [
    'a resume that forgets what it has of the epoch',
    {
      resume: ({ meta, ...rest }) => {
        const epoch = { ...meta.progress.epoch, samples: 0 };
        return { ...rest, meta: { ...meta, progress: { ...meta.progress, epoch } } };
      },
    },
    /epoch \d+ counts \d+ samples, not \d+/,
  ],
])('%s is caught', async (_, parts, objection) => {
  expect(await objectionTo(parts, objection)).toMatch(objection);
});

function oneBitOff(values: Float32Array): Float32Array {
  const changed = values.slice();
  const words = new Uint32Array(changed.buffer);
  words[0] = (words[0] ?? 0) ^ 1;
  return changed;
}
