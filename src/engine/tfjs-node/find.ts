import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DtrainError, reasonOf } from '../../errors.js';
import { shellWord } from '../../shell-word.js';

const PACKAGE = '@tensorflow/tfjs-node';
const require = createRequire(import.meta.url);

const own = fileURLToPath(import.meta.url);
/** To npm the package is an optional peer of dtrain's, which it leaves out of a clone unless it is told. */
const install = own.includes(`${path.sep}node_modules${path.sep}`)
  ? `npm install ${PACKAGE}`
  : `npm install --no-save --save-dev ${PACKAGE}`;
const setup = path.resolve(own, '../../../../../scripts/setup-tfjs-node.sh');
const build = `build it with ${shellWord(setup)}`;

/** The package, loaded into this process. */
export interface TfjsNode {
  readonly folder: string;
  /** Of TensorFlow. */
  readonly version: string;
}

/**
 * Loads the package's binding and with it TensorFlow. Threads load it again, each for itself, but the
 * library stays the process's: one that ends does not unload it under the others.
 * @throws DtrainError ENGINE_MISSING, with what to type
 */
export function findTfjsNode(): TfjsNode {
  const folder = packageFolder();
  const binding = bindingOf(folder);
  oneThreadEach();
  try {
    const { TF_Version: version } = require(binding) as { TF_Version: string };
    return { folder, version };
  } catch (cause) {
    throw missing(loadAdvice(folder, reasonOf(cause)), cause);
  }
}

/**
 * TensorFlow reads these when it is loaded and never again. Each compute thread runs its graph by
 * itself (-1), and no operation is divided: as many threads compute as dtrain has started.
 */
function oneThreadEach(): void {
  process.env.TF_NUM_INTEROP_THREADS = '-1';
  process.env.TF_NUM_INTRAOP_THREADS = '1';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
}

function packageFolder(): string {
  try {
    return path.dirname(require.resolve(`${PACKAGE}/package.json`));
  } catch (cause) {
    throw missing(`that is not installed; type: ${install}, or ${build}`, cause);
  }
}

/** As the package itself looks for it. */
function bindingOf(folder: string): string {
  const { find } = createRequire(path.join(folder, 'package.json'))('@mapbox/node-pre-gyp') as {
    find: (manifest: string) => string;
  };
  const file = find(path.join(folder, 'package.json'));
  if (existsSync(file)) return file;
  throw missing(
    `the package's install script, which fetches TensorFlow, was blocked or failed; type: npm rebuild ${PACKAGE} (npm 11 and later first want: npm install-scripts approve ${PACKAGE}), or ${build}`,
  );
}

function loadAdvice(folder: string, reason: string): string {
  const [line = ''] = reason.split('\n');
  const libraries = path.join(folder, 'deps', 'lib');
  if (/libtensorflow[^ ]*: cannot open|Library not loaded/.test(line)) {
    return existsSync(path.join(libraries, 'libtensorflow.so.2'))
      ? `its library was not found (${line}); type: export LD_LIBRARY_PATH=${libraries}`
      : `its library is not there (${line}); type: npm rebuild ${PACKAGE}, or ${build}`;
  }
  if (/NODE_MODULE_VERSION|napi|Module did not self-register/i.test(line)) {
    return `that does not work with Node ${process.versions.node} (${line}); use Node 20 or 22, and then type: npm rebuild ${PACKAGE}`;
  }
  return `that could not be loaded (${line}); type: npm rebuild ${PACKAGE}, or ${build}`;
}

function missing(why: string, cause?: unknown): DtrainError {
  const message = `The engine tfjs-node cannot be had: it needs ${PACKAGE}, and ${why}.`;
  return new DtrainError('ENGINE_MISSING', message, { cause });
}
