import { describe, expect } from 'vitest';
import { upgradeHeaders } from './raw-socket.js';
import { Siege, test } from './siege.js';
import { test as placeTest } from '../e2e/support/place.js';
import { within } from './within.js';

/** The answer to a request whose first line and headers are sent as they are. */
async function ask(
  siege: Siege,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<{ status: number; text: string }> {
  const raw = await siege.socket();
  raw.request(target, { connection: 'close', ...headers }, method);
  await within(raw.ended, `an answer to ${target}`);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(raw.text)?.[1]), text: raw.text };
}

/** Ways out of the folder that the coordinator does not even have. */
const WAYS_OUT = [
  '/shards/../../etc/passwd',
  '/shards/../../../../../../../../etc/passwd',
  '/shards/..%2f..%2f..%2fetc%2fpasswd',
  '/shards/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
  '/shards/%252e%252e%252f%252e%252e%252fetc%252fpasswd',
  '/shards/..\\..\\..\\etc\\passwd',
  '/shards/....//....//etc/passwd',
  '/shards//etc/passwd',
  '/shards/%2fetc%2fpasswd',
  '/shards/\u00c0\u00ae\u00c0\u00ae/etc/passwd',
  '/shards/%00/etc/passwd',
  '/shards/package.json',
  '/shards/../package.json',
  '/shards/__proto__',
  '/shards/constructor',
  '/shards/',
  '/shards',
  '/etc/passwd',
  '//etc/passwd',
  '/../../etc/passwd',
  'file:///etc/passwd',
  'http://127.0.0.1/shards/../../etc/passwd',
  '*',
] as const;

describe.concurrent('requests that get nothing:', () => {
  test('a path that leaves the folder of the shards', async ({ siege }) => {
    for (const way of WAYS_OUT) {
      const { status, text } = await ask(siege, way);
      expect([400, 404], way).toContain(status);
      expect(text, way).not.toMatch(/root:|"dtrain"/);
    }
    await siege.expectUnharmed();
  });

  test('a page of another site', async ({ siege }) => {
    for (const origin of ['https://example.org', 'null', '', `http://x:${siege.port}`]) {
      const { status } = await ask(siege, '/ws', { ...upgradeHeaders, origin });
      expect(status, `from "${origin}"`).toBe(403);
    }
    await siege.expectUnharmed();
  });

  test('a huge header, and requests that are not served or lie', async ({ siege }) => {
    const before = siege.megabytes;
    const huge = 'x'.repeat(1_000_000);
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`x-${at}`, '0']));
    for (const headers of [{ cookie: huge }, { [huge]: '' }, many, { ...upgradeHeaders, huge }]) {
      const { status } = await ask(siege, '/ws', headers);
      expect(status).toBe(431);
    }
    expect((await ask(siege, `/${huge}`)).status).toBe(431);
    expect(siege.megabytes - before, 'they are not kept').toBeLessThan(64);
    await expectRefused(siege);
    await siege.expectUnharmed();
  });

  placeTest('a wrong token, or none', async ({ place }) => {
    const token = 'a-token-of-the-test';
    const siege = await Siege.lay(place, undefined, ['--token', token]);
    await siege.begin();
    const wrong = ['', `Bearer ${token.slice(0, -1)}`, `Bearer ${token}x`, `bearer ${token}`];
    for (const authorization of [...wrong, `Basic ${token}`, token]) {
      for (const target of ['/ws', '/shards/', `/shards/${'0'.repeat(64)}`]) {
        const headers = target === '/ws' ? upgradeHeaders : {};
        const { status } = await ask(siege, target, { ...headers, authorization });
        expect(status, `${target} with "${authorization}"`).toBe(401);
      }
    }
    expect((await ask(siege, `/ws?token=${token}`, upgradeHeaders)).status).toBe(401);
    expect((await ask(siege, '/healthz')).status, 'what anyone may ask').toBe(200);
    const { stdout, stderr } = await siege.expectUnharmed();
    expect(stdout + stderr.replace(/--token \S+/g, ''), 'the token is told').not.toContain(token);
    siege.close();
  });
});

async function expectRefused(siege: Siege): Promise<void> {
  for (const method of ['POST', 'PUT', 'DELETE', 'TRACE', 'OPTIONS', 'PATCH']) {
    const { status } = await ask(siege, '/shards/', { 'content-length': '0' }, method);
    expect(status, method).toBeGreaterThanOrEqual(400);
  }
  for (const other of [
    { upgrade: 'h2c' },
    { 'sec-websocket-version': '7' },
    { 'sec-websocket-key': 'short' },
  ]) {
    const { status } = await ask(siege, '/ws', { ...upgradeHeaders, ...other });
    expect([400, 426], JSON.stringify(other)).toContain(status);
  }
  const { status } = await ask(siege, '/healthz', { 'content-length': '-1' }, 'POST');
  expect(status, 'a body of less than nothing').toBe(400);
  const tunnel = await ask(siege, '/ws', {}, 'CONNECT');
  expect(tunnel.text, 'a tunnel').not.toMatch(/^HTTP\/1\.1 2/);

  const smuggler = await siege.socket();
  smuggler.write('POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n');
  smuggler.write('Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /shards/x HTTP/1.1\r\n\r\n');
  await within(smuggler.ended, 'the end of two requests in one');
  expect(smuggler.text).toMatch(/^HTTP\/1\.1 400 /);
}
