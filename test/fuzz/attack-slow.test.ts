import { describe, expect } from 'vitest';
import { encodeFrame } from '../../src/protocol/frame.js';
import { limits } from '../../src/protocol/protocol.js';
import { hello } from './messages.js';
import { clientFrame, FIN, headOf, opcodes, type RawSocket, upgradeHeaders } from './raw-socket.js';
import { CUT_OFF_MS, test } from './siege.js';
import { within } from './within.js';

/** Between two bytes of a slow sender: it is never quite still. */
const DRIP_MS = 100;

/** Sends bytes one by one until there are none, or the other side has had enough. */
function drip(raw: RawSocket, bytes: Iterable<number>): void {
  const rest = bytes[Symbol.iterator]();
  const timer = setInterval(() => {
    const next = rest.next();
    if (next.done === true || !raw.socket.writable) clearInterval(timer);
    else raw.write(Buffer.of(next.value));
  }, DRIP_MS);
  void raw.ended.then(() => {
    clearInterval(timer);
  });
}

function* forever(byte: string): Generator<number> {
  for (;;) yield byte.charCodeAt(0);
}

describe.concurrent('connections that take their time are cut off:', () => {
  test('a handshake, headers and a body, byte by byte', async ({ siege }) => {
    const upgrading = await siege.socket();
    drip(upgrading, Buffer.from(headOf('/ws', upgradeHeaders)));
    const asking = await siege.socket();
    asking.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    drip(asking, forever('a'));
    const sending = await siege.socket();
    sending.request('/healthz', { 'content-length': '1000000000' }, 'POST');
    drip(sending, forever('a'));

    await within(upgrading.ended, 'the end of a slow handshake', CUT_OFF_MS);
    expect(upgrading.text).not.toMatch(/^HTTP\/1\.1 101/);
    await within(asking.ended, 'the end of slow headers', CUT_OFF_MS);
    expect(asking.text).not.toMatch(/^HTTP\/1\.1 200/);
    await within(sending.ended, 'the end of a slow body', CUT_OFF_MS);
    await siege.expectUnharmed();
  });

  test('a WebSocket without a hello, and a hello byte by byte', async ({ siege }) => {
    const silent = await siege.worker();
    const slow = await siege.socket();
    await slow.upgrade();
    drip(slow, clientFrame(FIN | opcodes.binary, encodeFrame(hello('slow'))));
    const { code, reason } = await within(silent.cutOff, 'the end of the silent', CUT_OFF_MS);
    expect(code).toBe(1008);
    expect(reason).toMatch(/in time/);
    await slow.until(/in time/);
    expect(slow.text).toMatch(/in time/);
    slow.close();
    await siege.expectUnharmed();
  });

  test('one that is refused and does not hang up', async ({ siege }) => {
    const raw = await siege.socket();
    await raw.upgrade();
    raw.write(clientFrame(FIN | opcodes.text, Buffer.from('text')));
    await raw.until(/it sent text/);
    // It goes on to live: pong, pong.
    const pong = clientFrame(FIN | opcodes.pong, Buffer.alloc(0));
    drip(raw, Buffer.concat(Array<Buffer>(100).fill(pong)));
    await within(raw.ended, 'the end of one that was refused', 4 * limits.closeMs);
    await siege.expectUnharmed();
  });

  test('a member that keeps its work to itself', async ({ siege }) => {
    const miser = await siege.worker();
    miser.join('miser');
    await miser.heard();
    const { result } = await siege.expectUnharmed();
    expect(miser.work, 'it was given work').toBeDefined();
    expect(result).toMatchObject({ outcome: 'complete' });
  });
});
