import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCacheDir } from '../../dist/src/data/cache-dir.js';

/** The frameworks to compare with, each installed in a folder of its own: their wishes conflict. */
export const frameworks = ['torch', 'tensorflow', 'mindspore', 'tfjs-node'] as const;
export type Framework = (typeof frameworks)[number];

/** Where the frameworks are installed unless told otherwise: outside the repository. */
export function defaultPeersDir(): string {
  return join(defaultCacheDir(), 'peers');
}

/** The Python of a framework that has one. */
export function pythonOf(peers: string, framework: Framework): string {
  return join(peers, framework, 'bin', 'python');
}

/** The package `@tensorflow/tfjs-node`, and the libtensorflow that it is linked with. */
export function tfjsNode(peers: string): { package: string; libraries: string; binding: string } {
  const folder = join(peers, 'tfjs-node', 'node_modules', '@tensorflow', 'tfjs-node');
  return {
    package: folder,
    libraries: join(folder, 'deps', 'lib'),
    binding: join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'),
  };
}

/** Written last, so that a half-installed framework does not pass for one. */
export function markerOf(peers: string, framework: Framework): string {
  return join(peers, framework, 'installed');
}

export function isInstalled(peers: string, framework: Framework): boolean {
  return existsSync(markerOf(peers, framework));
}
