import { CheckpointStore } from '../../../coordinator/checkpoint/store.js';
import { checkpointOf } from './checkpoints.js';

// Writes checkpoints to the folder that it is given, from the newest on, until somebody kills it;
// a line for each that is done.
const store = new CheckpointStore(process.argv[2] ?? '');
const newest = await store.newest((sentence) => {
  throw new Error(sentence);
});
for (let step = (newest?.meta.step ?? 0) + 1; ; step++) {
  await store.write(checkpointOf(step));
  process.stdout.write(`${step}\n`);
}
