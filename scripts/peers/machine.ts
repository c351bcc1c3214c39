import { loadavg } from 'node:os';
import { thisMachine } from '../../dist/bench/machine.js';

/** What a benchmark ran on, for the line above its table. */
export async function machine(): Promise<string> {
  const { processor, cores, platform, node, commit } = await thisMachine();
  return `${processor}, ${cores} cores, ${platform}, Node ${node}, dtrain ${commit ?? 'of no commit'}`;
}

/** What else the machine was doing: processes that want a core, over the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}
