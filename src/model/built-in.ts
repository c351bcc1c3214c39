import { cnn } from './cnn.js';
import type { ModelSpec } from './layers.js';
import { lenet5, lenet5Of1998 } from './lenet5.js';
import { mlp } from './mlp.js';

/** The models that go by name. */
export const builtInModels: ReadonlyMap<string, ModelSpec> = new Map(
  [lenet5, lenet5Of1998, mlp, cnn].map((spec) => [spec.name, spec]),
);

/** Their names, for messages: `lenet5, lenet5-1998, …`. */
export const builtInNames = [...builtInModels.keys()].join(', ');
