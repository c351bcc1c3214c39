import type { OptimizerName } from '../../optim/optimizer.js';
import { sha256 } from '../../sha256.js';
import type { Arithmetic } from '../names.js';
import { isLayersModel, type RunModel } from '../run-model.js';
import { compile, compileUpdater, type Program } from '../program.js';
import { wasmTarget } from '../targets.js';
import { emitWasm } from './emit.js';
import { compileModule } from './instance.js';

/** A model as a WebAssembly module; of a run with approximate engines, its updates alone. */
export interface Compiled {
  readonly program: Program;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of `bytes`. */
  readonly sha256: string;
  readonly module: WebAssembly.Module;
}

export async function compileForWasm(
  model: RunModel,
  optimizer: OptimizerName,
  arithmetic: Arithmetic = 'exact',
): Promise<Compiled> {
  const program = programOf(model, optimizer, arithmetic);
  const bytes = emitWasm(program.kernels);
  return { program, bytes, sha256: sha256(bytes), module: await compileModule(bytes, arithmetic) };
}

function programOf(model: RunModel, optimizer: OptimizerName, arithmetic: Arithmetic): Program {
  const { parameterCount } = model;
  if (isLayersModel(model)) {
    return compileUpdater(parameterCount, optimizer, wasmTarget, model.spec.trainableCount);
  }
  return arithmetic === 'exact'
    ? compile(model, optimizer, wasmTarget)
    : compileUpdater(parameterCount, optimizer, wasmTarget);
}
