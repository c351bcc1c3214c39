import { fileURLToPath } from 'node:url';
import type { Contestant, Measurement, Surroundings } from './contestant.js';
import { dtrainContestant } from './dtrain.js';
import { type Framework, isInstalled, pythonOf, tfjsNode } from './folder.js';
import { parseLine, run, works } from './processes.js';

const TORCH_BATCHES = [64, 256, 1024];

/** Makes glibc keep large blocks of memory for the next step: PyTorch is faster so. */
export const keepMemory = {
  MALLOC_MMAP_THRESHOLD_: '1073741824',
  MALLOC_TRIM_THRESHOLD_: '4294967296',
  MALLOC_TOP_PAD_: '67108864',
};

export function contestants(around: Surroundings): Contestant[] {
  const gcc = works('gcc', ['--version']) && process.arch === 'x64';
  return [
    dtrainContestant(around, { name: 'dtrain wasm', engine: 'wasm', threads: 1 }),
    dtrainContestant(around, { name: 'dtrain native', engine: 'native', threads: 1 }),
    dtrainContestant(around, {
      name: 'dtrain native AVX2',
      engine: 'native',
      threads: 1,
      compiler: 'gcc -mno-avx512f',
      ...(!gcc && { missing: 'needs gcc on x64' }),
    }),
    dtrainContestant(around, { name: 'dtrain native', engine: 'native', threads: 2 }),
    ...TORCH_BATCHES.map((batch) => python(around, 'PyTorch eager', 'torch_eager', 1, batch)),
    ...TORCH_BATCHES.map((batch) =>
      python(around, 'PyTorch eager, as it comes', 'torch_eager', 1, batch, {}),
    ),
    python(around, 'TensorFlow tf.function', 'tensorflow_graph', 1),
    python(around, 'MindSpore', 'mindspore_graph', 1),
    tfjsContestant(around),
    python(around, 'PyTorch DDP, 2 ranks', 'torch_ddp', 2),
    python(around, 'TensorFlow tf.function', 'tensorflow_graph', 2),
    python(around, 'TensorFlow MultiWorkerMirrored, 2 workers', 'tensorflow_workers', 2),
  ];
}

function python(
  around: Surroundings,
  name: string,
  script: `${'torch' | 'tensorflow' | 'mindspore'}_${string}`,
  cores: number,
  batch = 64,
  environment: Peer['environment'] = keepMemory,
): Contestant {
  const framework = script.split('_')[0] as Framework;
  const file = fileURLToPath(new URL(`python/${script}.py`, import.meta.url));
  const program = pythonOf(around.peers, framework);
  // Python would leave its byte code in the repository.
  const args = ['-B', file];
  return peer(around, framework, { name, cores, batch, program, args, environment });
}

function tfjsContestant(around: Surroundings): Contestant {
  const { package: folder, libraries } = tfjsNode(around.peers);
  const file = fileURLToPath(new URL('tfjs-eager.ts', import.meta.url));
  return peer(around, 'tfjs-node', {
    name: 'tfjs-node eager',
    cores: 1,
    batch: 64,
    program: process.execPath,
    args: ['--import', 'tsx', file, '--package', folder],
    environment: { LD_LIBRARY_PATH: libraries },
  });
}

interface Peer {
  readonly name: string;
  readonly cores: number;
  readonly batch: number;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

function peer(around: Surroundings, framework: Framework, settings: Peer): Contestant {
  const { name, cores, batch, args } = settings;
  const { data, peers } = around;
  return {
    name,
    cores,
    batch,
    ...(!isInstalled(peers, framework) && { missing: 'not installed: npm run peers:install' }),
    async measure(seconds) {
      let last: Record<string, unknown> | undefined;
      const given = { data, batch, threads: cores, seconds };
      const flags = Object.entries(given).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
      await run({ ...settings, args: [...args, ...flags] }, (line) => {
        last = parseLine(line) ?? last;
      });
      if (!last) throw new Error('it reported nothing');
      return last as unknown as Measurement;
    },
  };
}
