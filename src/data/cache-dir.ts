import { resolve } from 'node:path';
import envPaths from 'env-paths';

/**
 * The folder that dtrain keeps what it can fetch again in (MNIST, shards), as an absolute path:
 * DTRAIN_CACHE_DIR if that is set and not empty, else the system's own place for caches.
 */
export function defaultCacheDir(): string {
  const chosen = process.env.DTRAIN_CACHE_DIR;
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  return envPaths('dtrain', { suffix: '' }).cache;
}
