/**
 * `npm run peers:install [-- --dir FOLDER] [--only torch,...]`: installs the frameworks that
 * `npm run bench:peers` compares with. Needs Python 3.9 to 3.11 with venv ($PYTHON, else python3),
 * and for tfjs-node, whose binding is built here, a C++ compiler and make.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultPeersDir, type Framework, frameworks, markerOf, pythonOf } from './folder.js';

const TENSORFLOW = 'tensorflow-cpu==2.15.1';
const MINDSPORE = 'mindspore==2.7.1';

const { values } = parseArgs({ options: { dir: { type: 'string' }, only: { type: 'string' } } });
const peers = resolve(values.dir ?? defaultPeersDir());
const wanted = values.only?.split(',') ?? frameworks;

const installers: Record<Framework, () => void> = {
  // The default wheel for Linux wants CUDA's libraries even where it computes on the CPU.
  torch: () => {
    installPython('torch', 'torch', 'numpy');
  },
  tensorflow: () => {
    installPython('tensorflow', TENSORFLOW);
  },
  mindspore: () => {
    installPython('mindspore', MINDSPORE);
  },
  'tfjs-node': installTfjsNode,
};

function run(program: string, args: readonly string[]): void {
  console.log(`$ ${[program, ...args].join(' ')}`);
  execFileSync(program, args, { stdio: 'inherit' });
}

function installPython(framework: Framework, ...packages: string[]): void {
  const python = pythonOf(peers, framework);
  if (!existsSync(python)) {
    run(process.env.PYTHON ?? 'python3', ['-m', 'venv', join(peers, framework)]);
  }
  run(python, ['-m', 'pip', 'install', '--quiet', '--no-cache-dir', ...packages]);
  run(python, ['-c', `import ${framework}`]);
}

/** As for dtrain's own engine, with the TensorFlow that is installed for Python. */
function installTfjsNode(): void {
  const python = pythonOf(peers, 'tensorflow');
  if (!existsSync(python)) installPython('tensorflow', TENSORFLOW);
  const find = 'import importlib.util as u; print(u.find_spec("tensorflow").origin)';
  const wheel = dirname(execFileSync(python, ['-c', find], { encoding: 'utf8' }).trim());
  const folder = join(peers, 'tfjs-node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const script = fileURLToPath(new URL('../setup-tfjs-node.sh', import.meta.url));
  run('bash', [script, folder, wheel]);
}

const unknown = wanted.filter((name) => !(frameworks as readonly string[]).includes(name));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. There are ${frameworks.join(', ')}.`);
  process.exit(2);
}
mkdirSync(peers, { recursive: true });
for (const framework of frameworks.filter((name) => wanted.includes(name))) {
  try {
    installers[framework]();
    writeFileSync(markerOf(peers, framework), '');
    console.log(`${framework}: installed in ${join(peers, framework)}`);
  } catch (error) {
    console.error(`${framework}: not installed. ${error instanceof Error ? error.message : ''}`);
    process.exitCode = 1;
  }
}
