import type { Arithmetic } from './names.js';

/** `engine native (gcc 12.2.0, 16 lanes)`, `approximate engine tfjs-node (libtensorflow 2.15.1)` */
export function engineText(name: string, note: string | undefined, arithmetic: Arithmetic): string {
  const kind = arithmetic === 'approximate' ? 'approximate engine' : 'engine';
  return note === undefined ? `${kind} ${name}` : `${kind} ${name} (${note})`;
}
