import type { Model } from '../../model/model.js';
import type { OptimizerName } from '../../optim/optimizer.js';
import { sha256 } from '../../sha256.js';
import { compile, type Program } from '../program.js';
import { wasmTarget } from '../targets.js';
import { emitWasm } from './emit.js';
import { compileModule } from './instance.js';

/** A model as a WebAssembly module. */
export interface Compiled {
  readonly program: Program;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of `bytes`. */
  readonly sha256: string;
  readonly module: WebAssembly.Module;
}

export async function compileForWasm(model: Model, optimizer: OptimizerName): Promise<Compiled> {
  const program = compile(model, optimizer, wasmTarget);
  const bytes = emitWasm(program.kernels);
  return { program, bytes, sha256: sha256(bytes), module: await compileModule(bytes) };
}
