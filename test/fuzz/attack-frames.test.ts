import { describe, expect } from 'vitest';
import { encodeFrame } from '../../src/protocol/frame.js';
import { largestWorkerFrame, limits } from '../../src/protocol/protocol.js';
import { PARAMETERS, PIECE } from './hostile-pieces.js';
import { hello, pieces, ready } from './messages.js';
import { clientFrame, FIN, opcodes } from './raw-socket.js';
import { MICRO_BATCHES, test } from './siege.js';

const LARGEST = largestWorkerFrame(PARAMETERS, MICRO_BATCHES);

describe.concurrent('frames that no worker sends are cut off:', () => {
  test('a frame that says it is larger than any', async ({ siege }) => {
    const before = siege.megabytes;
    for (const declared of [LARGEST + 1, 2 ** 31, 2 ** 53 - 1]) {
      const raw = await siege.socket();
      await raw.upgrade();
      raw.write(clientFrame(FIN | opcodes.binary, Buffer.alloc(100), declared));
      expect(await raw.closeCode(), `${declared} bytes`).toBe(1009);
    }
    expect(siege.megabytes - before, 'no room was made for it').toBeLessThan(64);
    await siege.expectUnharmed();
  });

  test('a frame that is larger than any, sent to its end, whole or in parts', async ({ siege }) => {
    const worker = await siege.worker();
    worker.join();
    worker.send(encodeFrame(pieces(0, 0, MICRO_BATCHES), new Uint8Array(LARGEST)));
    expect((await worker.cutOff).code, 'whole').toBe(1009);

    const raw = await siege.socket();
    await raw.upgrade();
    const part = new Uint8Array(2 ** 16);
    for (let sent = 0; sent <= LARGEST; sent += part.length) {
      raw.write(clientFrame(sent === 0 ? opcodes.binary : opcodes.more, part));
    }
    expect(await raw.closeCode(), 'in parts').toBe(1009);

    const stranger = await siege.worker();
    stranger.say(hello('large'), new Uint8Array(2 ** 20));
    const { code, reason } = await stranger.cutOff;
    expect(code, 'a first frame').toBe(1008);
    expect(reason, 'a first frame').toMatch(/too long/);
    await siege.expectUnharmed();
  });

  test('a flood of tiny fragments; a message in few is read', async ({ siege }) => {
    const before = siege.megabytes;
    for (const size of [0, 1]) {
      const raw = await siege.socket();
      await raw.upgrade();
      sendInParts(raw, encodeFrame(hello('patient')));
      await raw.until(/welcome/);
      expect(raw.text, 'it was read').toMatch(/welcome/);

      raw.write(clientFrame(opcodes.binary, new Uint8Array(size)));
      const more = clientFrame(opcodes.more, new Uint8Array(size));
      raw.write(Buffer.concat(Array<Buffer>(100_000).fill(more)));
      expect(await raw.closeCode(), `of ${size} bytes`).toBe(1008);
    }
    expect(siege.megabytes - before, 'they are not kept').toBeLessThan(64);
    await siege.expectUnharmed();
  });

  const broken: readonly [what: string, frame: Buffer, code: number][] = [
    ['a frame without a mask', Buffer.of(FIN | opcodes.binary, 1, 0), 1002],
    ['a reserved bit', clientFrame(FIN | 0x40 | opcodes.binary, Buffer.alloc(8)), 1002],
    ['an unknown kind', clientFrame(FIN | 0x03, Buffer.alloc(8)), 1002],
    ['more of nothing', clientFrame(FIN | opcodes.more, Buffer.alloc(8)), 1002],
    ['a ping of 126 bytes', clientFrame(FIN | opcodes.ping, Buffer.alloc(126)), 1002],
    ['a ping in parts', clientFrame(opcodes.ping, Buffer.alloc(8)), 1002],
    ['a code that nobody may send', clientFrame(FIN | opcodes.close, Buffer.of(3, 237)), 1002],
    ['a length of 63 bits', lengthOf63Bits(), 1009],
    ['text that is not UTF-8', clientFrame(FIN | opcodes.text, Buffer.of(0xff)), 1007],
  ];
  test('frames that are none, headers that are too long, and what comes after the end', async ({
    siege,
  }) => {
    for (const [what, frame, code] of broken) {
      const raw = await siege.socket();
      await raw.upgrade();
      raw.write(frame);
      expect(await raw.closeCode(), what).toBe(code);
    }
    for (const bytes of [limits.headerBytes, limits.headerBytes + 1]) {
      const worker = await siege.worker();
      worker.say(hello('long'));
      const start = Buffer.alloc(4);
      start.writeUInt32LE(bytes);
      worker.send(Buffer.concat([start, Buffer.alloc(bytes, 0x91), Buffer.alloc(4)]));
      for (let index = 0; index < 100; index++) {
        worker.say(hello('again'));
        worker.say(ready);
        worker.say(pieces(0, 0, MICRO_BATCHES), new Uint8Array(PIECE));
      }
      const { code, reason } = await worker.cutOff;
      expect(code).toBe(1008);
      expect(reason).toMatch(bytes > limits.headerBytes ? /too long/ : /not MessagePack/);
      expect(worker.sent).toBe(302);
    }
    const { stdout, stderr } = await siege.expectUnharmed();
    expect(stdout.match(/"joined"/g), 'only the honest one').toHaveLength(1);
    expect(stderr.match(/A worker was refused/g)).toHaveLength(2 + broken.length);
  });
});

function sendInParts(raw: { write: (bytes: Uint8Array) => void }, message: Uint8Array): void {
  for (let at = 0; at < message.length; at += 8) {
    const end = at + 8 < message.length ? 0 : FIN;
    const kind = at === 0 ? opcodes.binary : opcodes.more;
    raw.write(clientFrame(end | kind, message.subarray(at, at + 8)));
  }
}

function lengthOf63Bits(): Buffer {
  const head = Buffer.alloc(14);
  head.set([FIN | opcodes.binary, 0x80 | 127]);
  head.fill(0xff, 2, 10);
  return head;
}
