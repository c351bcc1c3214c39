import { createHash } from 'node:crypto';
import { existsSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** Resolves when a file is there, in a folder that is. */
export async function appeared(file: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(path.dirname(file));
    const look = (): void => {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    };
    watcher.on('change', look);
    look();
  });
}

export async function readJson(file: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The tensors of a safetensors file, by the format's own description. */
export async function readTensors(file: string): Promise<Map<string, Buffer>> {
  const bytes = await readFile(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  return new Map(
    names.map((name) => {
      const [from = 0, to = 0] = header[name]?.data_offsets ?? [];
      return [name, bytes.subarray(start + from, start + to)];
    }),
  );
}
