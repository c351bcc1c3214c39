import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { defaultCacheDir } from '../../data/cache-dir.js';
import type { Model } from '../../model/model.js';
import type { OptimizerName } from '../../optim/optimizer.js';
import { sha256 } from '../../sha256.js';
import type { Kernel, Target } from '../ir/types.js';
import { compile } from '../program.js';
import { nativePairTarget, nativeTarget } from '../targets.js';
import { type Compiler, compileLibrary, flagsText } from './compilers.js';
import { emitC } from './emit.js';
import { bindKernels, type KernelCall } from './library.js';
import { ObjectCache } from './object-cache.js';

/** A model compiled to a library of this machine's own code. */
export interface NativeLibrary {
  readonly file: string;
  readonly compiler: Compiler;
  /** Who made it, for vectors of how many lanes: `gcc 12.2.0, 16 lanes`. */
  readonly description: string;
  /** Float32 values that a thread works in, for one micro-batch. */
  readonly workSize: number;
  /** The same for two side by side, if the library has those. */
  readonly pairWorkSize: number | undefined;
}

/**
 * Compiles a model and its optimizer's step, or finds them compiled already.
 * @throws Error, with the compiler's or the system's words
 */
export async function buildLibrary(
  model: Model,
  optimizer: OptimizerName,
  compiler: Compiler,
  cache = defaultCache(),
): Promise<NativeLibrary> {
  const target = nativeTarget(compiler.lanes);
  const single = compile(model, optimizer, target);
  const sources = [emitC(single.kernels, target)];
  let pairWorkSize: number | undefined;
  if (compiler.lanes === 16) {
    const pair = compile(model, optimizer, nativePairTarget);
    const gradients = pair.kernels.filter(({ name }) => name === 'gradients');
    sources.push(
      emitC(
        gradients.map((kernel) => ({ ...kernel, name: 'gradientsOfPair' })),
        nativePairTarget,
      ),
    );
    pairWorkSize = pair.workSize;
  }
  const file = await compiled(sources, compiler, cache);
  const description = `${compiler.name}, ${compiler.lanes} lanes`;
  return { file, compiler, description, workSize: single.workSize, pairWorkSize };
}

/** Kernels alone, compiled and at work in a memory, by their names. */
export async function loadKernels(
  kernels: readonly Kernel[],
  target: Target,
  compiler: Compiler,
  memory: WebAssembly.Memory,
): Promise<Record<string, KernelCall>> {
  const file = await compiled([emitC(kernels, target)], compiler, defaultCache());
  return bindKernels(file, kernels, memory);
}

function defaultCache(): ObjectCache {
  return new ObjectCache(path.join(defaultCacheDir(), 'native'));
}

/** The library of C sources, from the cache if it is there. */
async function compiled(
  sources: readonly string[],
  compiler: Compiler,
  cache: ObjectCache,
): Promise<string> {
  const key = sha256(Buffer.from([...sources, compiler.identity, flagsText].join('\0')));
  const make = async (folder: string): Promise<string> => {
    const files = sources.map((_, index) => path.join(folder, `${index}.c`));
    await Promise.all(sources.map((source, index) => writeFile(files[index] ?? '', source)));
    const library = path.join(folder, 'library.so');
    await compileLibrary(compiler, files, library);
    return library;
  };
  return (await cache.get(key)) ?? (await cache.put(key, make));
}
