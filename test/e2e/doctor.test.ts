import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { findCompilers } from '../../src/engine/native/compilers.js';
import { type Place, test } from './support/place.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const compile = promisify(execFile);
const PACKAGE = '@tensorflow/tfjs-node';
const [compiler] = await findCompilers({});

/** An installation of dtrain with all that it needs, but without tfjs-node. */
async function install(place: Place, app = 'clone'): Promise<void> {
  const modules = place.at(app, 'node_modules');
  await mkdir(path.join(modules, '@tensorflow'), { recursive: true });
  for (const entry of ['dist', 'package.json']) {
    await cp(path.join(project, entry), place.at(app, entry), { recursive: true });
  }
  const link = async (name: string): Promise<void> => {
    await symlink(path.join(project, 'node_modules', name), path.join(modules, name));
  };
  for (const name of await readdir(path.join(project, 'node_modules'))) {
    if (!name.startsWith('.') && name !== '@tensorflow' && name !== '@mapbox') await link(name);
  }
  for (const name of await readdir(path.join(project, 'node_modules/@tensorflow'))) {
    if (name !== 'tfjs-node') await link(`@tensorflow/${name}`);
  }
}

/** Adds tfjs-node as npm puts it there before its install script runs. @returns its folder */
async function addPackage(place: Place): Promise<string> {
  const folder = place.at('clone/node_modules', PACKAGE);
  const finder = path.join(folder, 'node_modules/@mapbox/node-pre-gyp');
  await mkdir(finder, { recursive: true });
  await mkdir(path.join(folder, 'lib'));
  await mkdir(path.join(folder, 'deps/lib'), { recursive: true });
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ name: PACKAGE }));
  const find = `exports.find = (manifest) => require('path').join(manifest, '../lib/binding.node');`;
  await writeFile(path.join(finder, 'index.js'), find);
  return folder;
}

/** Adds a binding that wants TensorFlow's library beside it. */
async function addBinding(place: Place, folder: string): Promise<void> {
  const empty = place.at('empty.c');
  await writeFile(empty, '');
  const [cc, ...args] = compiler?.command ?? [''];
  const library = path.join(folder, 'deps/lib/libtensorflow.so.2');
  await compile(cc, [...args, '-shared', '-Wl,-soname,libtensorflow.so.2', '-o', library, empty]);
  const binding = path.join(folder, 'lib/binding.node');
  const keep = '-Wl,--no-as-needed';
  await compile(cc, [...args, '-shared', '-o', binding, empty, keep, library]);
}

function orBuild(place: Place): string {
  return `or build it with ${place.at('clone/scripts/setup-tfjs-node.sh')}`;
}

/** What `dtrain doctor` says of tfjs-node there. */
async function diagnosis(
  place: Place,
  env: NodeJS.ProcessEnv = {},
  app = 'clone',
): Promise<string> {
  const main = place.at(app, 'dist/src/cli/main.js');
  // Without the engine that takes seconds to try.
  const options = { env: { ...env, CC: 'none' } };
  const { stdout } = await place.spawn(process.execPath, [main, 'doctor'], options).ended;
  const line = /^engine tfjs-node: no, .*$/m.exec(stdout);
  return line?.[0] ?? expect.fail(stdout);
}

describe.concurrent('dtrain doctor says what to type where tfjs-node', () => {
  test('is not installed', async ({ place }) => {
    await install(place);
    expect(await diagnosis(place)).toBe(
      `engine tfjs-node: no, The engine tfjs-node cannot be had: it needs ${PACKAGE}, and that is not installed; type: npm install --no-save --save-dev ${PACKAGE}, ${orBuild(place)}.`,
    );
    await install(place, 'node_modules/dtrain');
    const dependent = await diagnosis(place, {}, 'node_modules/dtrain');
    expect(dependent).toContain(`; type: npm install ${PACKAGE}, or build it with `);
  });

  test('is there, but its install script was blocked or failed', async ({ place }) => {
    await install(place);
    await addPackage(place);
    const found = await diagnosis(place);
    expect(found).toContain(
      "the package's install script, which fetches TensorFlow, was blocked or failed;",
    );
    expect(found).toContain(
      `; type: npm rebuild ${PACKAGE} (npm 11 and later first want: npm install-scripts approve ${PACKAGE}), ${orBuild(place)}.`,
    );
  });

  const built = compiler && process.platform === 'linux';
  const reason = built ? '' : ' (skipped: no C compiler on Linux makes a binding here)';
  describe.skipIf(!built)(`has a binding${reason}`, () => {
    test('whose library is gone, or is not looked for where it is', async ({ place }) => {
      await install(place);
      const folder = await addPackage(place);
      await addBinding(place, folder);
      const libraries = path.join(folder, 'deps/lib');
      const notFound = await diagnosis(place);
      expect(notFound).toMatch(/its library was not found \(libtensorflow\.so\.2: cannot open/);
      expect(notFound).toContain(`; type: export LD_LIBRARY_PATH=${libraries}.`);

      // As it says; now the library is found, and it is the binding that is none.
      expect(await diagnosis(place, { LD_LIBRARY_PATH: libraries })).toMatch(
        new RegExp(
          `that does not work with Node ${process.versions.node} \\(.*\\); use Node 20 or 22, and then type: npm rebuild ${PACKAGE}\\.$`,
        ),
      );

      await rm(path.join(libraries, 'libtensorflow.so.2'));
      const gone = await diagnosis(place);
      expect(gone).toMatch(/its library is not there \(libtensorflow\.so\.2: cannot open .*\);/);
      expect(gone).toContain(`; type: npm rebuild ${PACKAGE}, ${orBuild(place)}.`);
    });
  });
});
