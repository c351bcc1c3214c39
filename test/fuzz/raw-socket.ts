import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { paths } from '../../src/protocol/protocol.js';
import { within } from './within.js';

const SERVER_CLOSE = 0x88;

export const upgradeHeaders = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.from('sixteen bytes ok').toString('base64'),
} as const;

/** A TCP connection whose every byte an attacker chooses. */
export class RawSocket {
  readonly socket: Socket;
  /** The other side ended it, in whatever way. */
  readonly ended: Promise<void>;
  wasRefused = false;
  #received: Buffer = Buffer.alloc(0);

  private constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    this.ended = new Promise((resolve) => {
      this.socket.once('close', () => {
        resolve();
      });
    });
  }

  static async connect(port: number): Promise<RawSocket> {
    const raw = new RawSocket(port);
    await within(once(raw.socket, 'connect'), 'a connection');
    return raw;
  }

  /** All that came so far, one character a byte. */
  get text(): string {
    return this.#received.toString('latin1');
  }

  write(bytes: Uint8Array | string): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** A request's first line and headers. */
  request(target: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): void {
    this.write(headOf(target, headers, method));
  }

  /** Becomes a WebSocket, if it may; what is written from then on are its frames. */
  async upgrade(): Promise<void> {
    this.request(paths.socket, upgradeHeaders);
    await this.until(/^HTTP\/1\.1 \d+ [^]*\r\n\r\n/);
    this.wasRefused = !this.text.startsWith('HTTP/1.1 101 ');
    if (!this.wasRefused) this.#received = Buffer.alloc(0);
  }

  async until(pattern: RegExp): Promise<void> {
    const come = async (): Promise<void> => {
      while (!pattern.test(this.text)) await once(this.socket, 'data');
    };
    await within(Promise.race([come(), this.ended]), `an answer like ${String(pattern)}`);
  }

  /** The code of the WebSocket's end, once it has ended; undefined if it was cut without a word. */
  async closeCode(): Promise<number | undefined> {
    await within(this.ended, 'the end of the connection');
    let at = 0;
    while (at + 4 <= this.#received.length) {
      const short = (this.#received[at + 1] ?? 0) & 0x7f;
      if (this.#received[at] === SERVER_CLOSE) return this.#received.readUInt16BE(at + 2);
      if (short < 126) at += 2 + short;
      else if (short === 126) at += 4 + this.#received.readUInt16BE(at + 2);
      else at += 10 + Number(this.#received.readBigUInt64BE(at + 2));
    }
    return undefined;
  }

  close(): void {
    this.socket.destroy();
  }
}

export function headOf(
  target: string,
  headers: Readonly<Record<string, string>>,
  method = 'GET',
): string {
  const lines = Object.entries({ host: 'x', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** What the first byte of a WebSocket frame says: the kind, and 0x80 if the message ends there. */
export const opcodes = {
  more: 0x00,
  text: 0x01,
  binary: 0x02,
  close: 0x08,
  ping: 0x09,
  pong: 0x0a,
} as const;
export const FIN = 0x80;

/** A client's WebSocket frame; the mask is zeros. `declared` bytes may be more than there are. */
export function clientFrame(first: number, payload: Uint8Array, declared = payload.length): Buffer {
  const mask = Buffer.alloc(4);
  let head: Buffer;
  if (declared < 126) head = Buffer.of(first, 0x80 | declared);
  else if (declared < 65_536) {
    head = Buffer.of(first, 0x80 | 126, declared >> 8, declared & 0xff);
  } else {
    head = Buffer.alloc(10);
    head.set([first, 0x80 | 127]);
    head.writeBigUInt64BE(BigInt(declared), 2);
  }
  return Buffer.concat([head, mask, payload]);
}
