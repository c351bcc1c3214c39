import { PROTOCOL_VERSION, type WorkerMessage } from '../../src/protocol/protocol.js';

/** What an honest worker says: the one place here that knows all its fields. */
export function hello(name: string, threads = 1): WorkerMessage {
  return { type: 'hello', protocol: PROTOCOL_VERSION, name, threads, engine: 'auto' };
}

export const ready: WorkerMessage = { type: 'ready' };

export const leave: WorkerMessage = { type: 'leave' };

export function pieces(step: number, first: number, last: number): WorkerMessage {
  return { type: 'pieces', step, first, last, micros: 1_000 };
}
