import { readFileSync } from 'node:fs';

/** From package.json, as it lies beside the folder that this is compiled to. */
export const { version, description } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { readonly version: string; readonly description: string };
