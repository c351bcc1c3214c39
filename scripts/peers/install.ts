/**
 * `npm run peers:install [-- --dir FOLDER] [--only torch,...]`: installs the frameworks that
 * `npm run bench:peers` compares with. Needs Python 3.9 to 3.11 with venv ($PYTHON, else python3),
 * and for tfjs-node, whose binding is built here, a C++ compiler and make.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  defaultPeersDir,
  type Framework,
  frameworks,
  markerOf,
  pythonOf,
  tfjsNode,
} from './folder.js';

const TENSORFLOW = 'tensorflow-cpu==2.15.1';
const MINDSPORE = 'mindspore==2.7.1';
const TFJS_NODE = '@tensorflow/tfjs-node@4.22.0';

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

function run(program: string, args: readonly string[], cwd?: string): void {
  console.log(`$ ${[program, ...args].join(' ')}`);
  execFileSync(program, args, { stdio: 'inherit', ...(cwd !== undefined && { cwd }) });
}

function installPython(framework: Framework, ...packages: string[]): void {
  const python = pythonOf(peers, framework);
  if (!existsSync(python)) {
    run(process.env.PYTHON ?? 'python3', ['-m', 'venv', join(peers, framework)]);
  }
  run(python, ['-m', 'pip', 'install', '--quiet', '--no-cache-dir', ...packages]);
  run(python, ['-c', `import ${framework}`]);
}

/**
 * Builds the binding against the libtensorflow in TensorFlow's wheel: the binaries that the package
 * would download are older, and are not on a package registry.
 */
function installTfjsNode(): void {
  const python = pythonOf(peers, 'tensorflow');
  if (!existsSync(python)) installPython('tensorflow', TENSORFLOW);
  const find = 'import importlib.util as u; print(u.find_spec("tensorflow").origin)';
  const wheel = dirname(execFileSync(python, ['-c', find], { encoding: 'utf8' }).trim());
  const folder = join(peers, 'tfjs-node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', TFJS_NODE], folder);
  const { package: tfjs, libraries } = tfjsNode(peers);
  mkdirSync(libraries, { recursive: true });
  link(join(wheel, 'include'), join(tfjs, 'deps', 'include'));
  link(join(wheel, 'libtensorflow_cc.so.2'), join(libraries, 'libtensorflow_cc.so.2'));
  link(join(wheel, 'libtensorflow_cc.so.2'), join(libraries, 'libtensorflow.so'));
  for (const name of ['libtensorflow_framework.so', 'libtensorflow_framework.so.2']) {
    link(join(wheel, 'libtensorflow_framework.so.2'), join(libraries, name));
  }
  // Node's own headers, where they came with it; else node-gyp fetches them.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node')) ? [`--nodedir=${prefix}`] : [];
  run('npx', ['node-pre-gyp', 'install', '--build-from-source', ...headers], tfjs);
  process.env.LD_LIBRARY_PATH = libraries;
  run(process.execPath, ['-e', "require('@tensorflow/tfjs-node')"], folder);
}

function link(target: string, path: string): void {
  rmSync(path, { force: true });
  symlinkSync(target, path);
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
