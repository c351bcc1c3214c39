import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MetricsFile } from '../../src/report/metrics-file.js';

async function folder(): Promise<string> {
  const place = await mkdtemp(path.join(tmpdir(), 'dtrain-metrics-'));
  onTestFinished(() => rm(place, { recursive: true }));
  return place;
}

test('lines are added to those that are there', async () => {
  const file = path.join(await folder(), 'metrics.jsonl');
  for (const step of [1, 2]) {
    const metrics = new MetricsFile(file);
    expect(metrics.add({ step })).toBeUndefined();
    metrics.close();
  }
  expect(await readFile(file, 'utf8')).toBe('{"step":1}\n{"step":2}\n');
});

test.runIf(process.platform === 'linux')(
  'a full disk is told once and ends nothing (/dev/full is a file of Linux)',
  async () => {
    const file = path.join(await folder(), 'metrics.jsonl');
    await symlink('/dev/full', file);
    const metrics = new MetricsFile(file);
    expect(metrics.add({ step: 1 })).toBe(
      `Cannot write ${file}: the disk is full. It is tried again; the run goes on.`,
    );
    expect(metrics.add({ step: 2 })).toBeUndefined();
    metrics.close();
  },
);
