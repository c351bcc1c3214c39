import { isAbsolute, resolve } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { defaultCacheDir } from '../../src/data/cache-dir.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('is the folder that DTRAIN_CACHE_DIR names, as an absolute path', () => {
  vi.stubEnv('DTRAIN_CACHE_DIR', 'some/folder');
  expect(defaultCacheDir()).toBe(resolve('some/folder'));
});

it("is a folder of dtrain's own if DTRAIN_CACHE_DIR is empty or not set", () => {
  for (const unset of ['', undefined]) {
    vi.stubEnv('DTRAIN_CACHE_DIR', unset);
    expect(isAbsolute(defaultCacheDir())).toBe(true);
    expect(defaultCacheDir()).toMatch(/[\\/]dtrain\b/);
  }
});
