import { reasonOf } from '../../errors.js';
import type { Model } from '../../model/model.js';
import type { OptimizerName } from '../../optim/optimizer.js';
import type { WasmModule } from '../wasm/instance.js';
import { buildLibrary, type NativeLibrary } from './build.js';
import { type Compiler, findCompilers } from './compilers.js';
import { probe } from './probe.js';

/** The library that computes here, or why there is none. */
export type NativeChoice =
  { readonly library: NativeLibrary } | { readonly library: undefined; readonly why: string };

/**
 * The fastest of the libraries that this machine's compilers make of a model, among those that give
 * the WebAssembly module's bits.
 */
export async function chooseNative(
  model: Model,
  optimizer: OptimizerName,
  wasm: WasmModule,
): Promise<NativeChoice> {
  if (process.platform === 'win32') return none('native code is not built on Windows');
  const compilers = await findCompilers();
  if (compilers.length === 0) {
    const named = process.env.CC;
    return none(
      named === undefined || named.trim() === ''
        ? 'there is no C compiler: install gcc or clang'
        : `the C compiler that CC names, ${named}, cannot be run`,
    );
  }
  const tried = await Promise.all(
    compilers.map((compiler) => tryCompiler(model, optimizer, wasm, compiler)),
  );
  const [best] = tried
    .flatMap((result) => ('rate' in result ? [result] : []))
    .sort((one, other) => other.rate - one.rate);
  if (best) return { library: best.library };
  const [first] = tried.flatMap((result) => ('why' in result ? [result.why] : []));
  return none(first ?? '');
}

function none(why: string): NativeChoice {
  return { library: undefined, why };
}

async function tryCompiler(
  model: Model,
  optimizer: OptimizerName,
  wasm: WasmModule,
  compiler: Compiler,
): Promise<{ library: NativeLibrary; rate: number } | { why: string }> {
  try {
    const library = await buildLibrary(model, optimizer, compiler);
    const rate = probe(model, optimizer, wasm, library);
    if (rate !== undefined) return { library, rate };
    return { why: `${compiler.name} makes code whose results differ from WebAssembly's` };
  } catch (error) {
    const [line = ''] = reasonOf(error).split('\n');
    return { why: `${compiler.name} failed: ${line}` };
  }
}
