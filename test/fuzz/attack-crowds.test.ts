import { describe, expect } from 'vitest';
import { encodeFrame } from '../../src/protocol/frame.js';
import { limits } from '../../src/protocol/protocol.js';
import { hello } from './messages.js';
import { clientFrame, FIN, headOf, opcodes, type RawSocket } from './raw-socket.js';
import { CUT_OFF_MS, STEPS_BEFORE, test } from './siege.js';
import { within } from './within.js';

const CROWD = 1_000;
const PINGS = 1_000_000;
const REQUESTS = 1_000;

describe.concurrent('crowds leave room for the honest:', () => {
  test('1,000 connections that ask for nothing', async ({ siege }) => {
    const idle = await many(CROWD, () => siege.socket());
    const newcomer = await siege.honestNewcomer();
    const ends = Promise.all(idle.map(({ ended }) => ended));
    await within(ends, 'the end of idle connections', CUT_OFF_MS);
    await siege.expectUnharmed();
    expect((await newcomer.ended).code).toBe(0);
  });

  test('1,000 WebSockets that say nothing', async ({ siege }) => {
    const idle = await many(CROWD, () => siege.worker());
    const newcomer = await siege.honestNewcomer();
    const ends = Promise.all(idle.map(({ cutOff }) => cutOff));
    const codes = await within(ends, 'the end of idle WebSockets', CUT_OFF_MS);
    expect(new Set(codes.map(({ code }) => code))).toEqual(new Set([1008]));
    await siege.expectUnharmed();
    expect((await newcomer.ended).code).toBe(0);
  });

  test('more WebSockets than a run has workers: the rest is turned away', async ({ siege }) => {
    const crowd = await many(limits.workers + 10, async () => {
      const raw = await siege.socket();
      await raw.upgrade();
      raw.write(clientFrame(FIN | opcodes.binary, encodeFrame(hello('one-of-many'))));
      return raw;
    });
    const refused = crowd.filter(({ wasRefused }) => wasRefused);
    expect(refused, 'there is an honest worker, too').toHaveLength(11);
    for (const raw of crowd) raw.close();
    const newcomer = await siege.honestNewcomer();
    await siege.expectUnharmed();
    expect((await newcomer.ended).code).toBe(0);
  });
});

describe.concurrent('who does not read fills no memory:', () => {
  test('a member that is given work', async ({ siege }) => {
    const deaf = await siege.worker();
    deaf.join('deaf');
    siege.turnstile.allow(STEPS_BEFORE + 1);
    expect(await within(deaf.nextWork(), 'work for the deaf')).toBeDefined();
    deaf.socket.pause();
    const left = await siege.coordinator.event('worker', ({ action }) => action === 'left');
    expect(left).toMatchObject({ name: 'deaf' });
    await siege.expectUnharmed();
  });

  test('pings whose answers are not read', async ({ siege }) => {
    const before = siege.megabytes;
    const raw = await siege.socket();
    await raw.upgrade();
    raw.write(clientFrame(FIN | opcodes.binary, encodeFrame(hello('deaf'))));
    raw.socket.pause();
    const pings = await flood(raw);
    expect(pings, 'it was cut off').toBeLessThan(PINGS);
    expect(siege.megabytes - before, 'answers are not kept').toBeLessThan(64);
    await siege.expectUnharmed();
  });

  test('shards that are asked for and not read', async ({ siege }) => {
    const before = siege.megabytes;
    const reader = await siege.worker();
    reader.say(hello('reader'));
    await reader.heard();
    const raw = await siege.socket();
    raw.socket.pause();
    const shard = headOf(`/shards/${reader.shards[0]?.sha256 ?? ''}`, {});
    raw.write(shard.repeat(REQUESTS));
    await siege.honestNewcomer();
    expect(raw.socket.bytesWritten, 'asked for').toBeGreaterThan(0);
    expect(siege.megabytes - before, 'answers are not kept').toBeLessThan(64);
    reader.close();
    await siege.expectUnharmed();
  });
});

/** As fast as the other side takes them, with a pong now and then as a sign of life. */
async function flood(raw: RawSocket): Promise<number> {
  const ping = clientFrame(FIN | opcodes.ping, Buffer.alloc(125, 'x'));
  const pong = clientFrame(FIN | opcodes.pong, Buffer.alloc(0));
  const burst = Buffer.concat([...Array<Buffer>(1_000).fill(ping), pong]);
  let sent = 0;
  while (sent < PINGS && raw.socket.writable) {
    await new Promise((resolve) => raw.socket.write(burst, resolve));
    sent += 1_000;
  }
  return sent;
}

async function many<T>(count: number, open: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, open));
}
