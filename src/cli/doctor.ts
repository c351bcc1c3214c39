import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { Command } from 'commander';
import { addOptions } from '../config/flags.js';
import { resolveInspection } from '../config/resolve.js';
import { chooseNative } from '../engine/native/choose.js';
import { loadTensorFlow } from '../engine/tfjs/libraries.js';
import { findTfjsNode } from '../engine/tfjs-node/find.js';
import { type Compiled, compileForWasm } from '../engine/wasm/compile.js';
import { reasonOf } from '../errors.js';
import { lenet5 } from '../model/lenet5.js';
import { buildModel, type Model } from '../model/model.js';

const OPTIMIZER = 'momentum';

interface EngineState {
  readonly name: string;
  readonly available: boolean;
  readonly why: string;
}

export function doctorCommand(): Command {
  const command = new Command('doctor').description('what this machine has to train with');
  addOptions(command, ['json', 'verbose']);
  return command.action(async (flags: Record<string, unknown>) => {
    const { json } = resolveInspection({ flags, env: process.env });
    const model = buildModel(lenet5);
    const compiling = compileForWasm(model, OPTIMIZER);
    const wasm = await wasmEngine(compiling);
    const engines = [
      wasm,
      await nativeEngine(model, compiling),
      tfjsNodeEngine(),
      await tfjsEngine(),
    ];
    const found = {
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      freeMemoryBytes: freemem(),
      engines,
    };
    const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
    const lines = [
      `Node ${found.node} on ${found.platform}`,
      `${found.cores} cores for this process (${found.processor})`,
      `${gigabytes(found.memoryBytes)} memory, ${gigabytes(found.freeMemoryBytes)} free`,
      ...engines.map(
        ({ name, available, why }) => `engine ${name}: ${available ? 'yes' : 'no'}, ${why}`,
      ),
    ];
    process.stdout.write(json ? `${JSON.stringify(found)}\n` : `${lines.join('\n')}\n`);
    if (!engines.some(({ available }) => available)) process.exitCode = 1;
  });
}

function tfjsNodeEngine(): EngineState {
  const name = 'tfjs-node';
  try {
    const { version, folder } = findTfjsNode();
    return { name, available: true, why: `TensorFlow ${version} in ${folder}, approximate` };
  } catch (error) {
    return { name, available: false, why: reasonOf(error) };
  }
}

async function tfjsEngine(): Promise<EngineState> {
  const name = 'tfjs';
  try {
    const { core } = await loadTensorFlow();
    return { name, available: true, why: `TensorFlow.js ${core.version_core}, approximate` };
  } catch (error) {
    return { name, available: false, why: reasonOf(error) };
  }
}

async function wasmEngine(compiling: Promise<Compiled>): Promise<EngineState> {
  try {
    await compiling;
    return { name: 'wasm', available: true, why: 'WebAssembly with SIMD and shared memory' };
  } catch (error) {
    const reason = reasonOf(error);
    return { name: 'wasm', available: false, why: reason };
  }
}

async function nativeEngine(model: Model, compiling: Promise<Compiled>): Promise<EngineState> {
  try {
    const { module, program } = await compiling;
    const wasm = { module, workSize: program.workSize };
    const native = await chooseNative(model, OPTIMIZER, wasm);
    return native.library
      ? { name: 'native', available: true, why: `by ${native.library.description}` }
      : { name: 'native', available: false, why: native.why };
  } catch (error) {
    return { name: 'native', available: false, why: reasonOf(error) };
  }
}
