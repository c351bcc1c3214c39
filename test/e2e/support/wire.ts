import { decodeFrame } from '../../../src/protocol/frame.js';
import { coordinatorMessage, workerMessage } from '../../../src/protocol/protocol.js';

/** Who sends. */
export type Side = 'worker' | 'coordinator';

/**
 * What goes over a connection as one piece: a message of the protocol, a WebSocket `ping`, `pong`
 * or `close`, the `upgrade` to one and its answer `upgraded`, a `fetch` of a shard, a part of the
 * `shard` that comes back.
 */
export interface Unit {
  readonly from: Side;
  readonly type: string;
  /** Of messages that belong to a step. */
  readonly step?: number;
  readonly bytes: Buffer;
}

const HEAD_END = '\r\n\r\n';
const controls: Partial<Record<number, string>> = { 8: 'close', 9: 'ping', 10: 'pong' };

/** Cuts what one side of a connection sends into units. */
export class WireReader {
  readonly #from: Side;
  #rest = Buffer.alloc(0);
  #mode: 'head' | 'frames' | 'shard' = 'head';

  constructor(from: Side) {
    this.#from = from;
  }

  /** The units that are whole now. */
  push(chunk: Buffer): Unit[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const units: Unit[] = [];
    for (let unit = this.#next(); unit; unit = this.#next()) units.push(unit);
    return units;
  }

  #next(): Unit | undefined {
    if (this.#rest.length === 0) return undefined;
    switch (this.#mode) {
      case 'head':
        return this.#head();
      case 'frames':
        return this.#frame();
      case 'shard':
        return { from: this.#from, type: 'shard', bytes: this.#take(this.#rest.length) };
    }
  }

  #head(): Unit | undefined {
    const end = this.#rest.indexOf(HEAD_END);
    if (end === -1) return undefined;
    const text = this.#rest.toString('latin1', 0, end);
    const upgrade = /^upgrade: websocket/im.test(text);
    if (upgrade) this.#mode = 'frames';
    else if (this.#from === 'coordinator') this.#mode = 'shard';
    const [request, answer] = upgrade ? ['upgrade', 'upgraded'] : ['fetch', 'shard'];
    const type = this.#from === 'worker' ? request : answer;
    return { from: this.#from, type, bytes: this.#take(end + HEAD_END.length) };
  }

  #frame(): Unit | undefined {
    const frame = this.#rest;
    if (frame.length < 2) return undefined;
    const second = frame.readUInt8(1);
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskAt = 2 + lengthBytes;
    const start = maskAt + (second >= 0x80 ? 4 : 0);
    if (frame.length < start) return undefined;
    const length =
      lengthBytes === 0 ? short : Number(BigInt(`0x${frame.toString('hex', 2, maskAt)}`));
    if (frame.length < start + length) return undefined;
    if (second >= 0x80 && frame.readUInt32LE(maskAt) !== 0) throw new Error('A mask is not zero.');
    const control = controls[frame.readUInt8(0) & 0x0f];
    const bytes = this.#take(start + length);
    if (control !== undefined) return { from: this.#from, type: control, bytes };
    const content = bytes.subarray(start);
    const { message } =
      this.#from === 'worker'
        ? decodeFrame(workerMessage, content)
        : decodeFrame(coordinatorMessage, content);
    const step = 'step' in message ? { step: message.step } : {};
    return { from: this.#from, type: message.type, ...step, bytes };
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }
}
