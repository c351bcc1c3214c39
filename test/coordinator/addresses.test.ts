import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { isLoopback, reachableHosts, workerUrl } from '../../coordinator/addresses.js';

describe('isLoopback', () => {
  test.each(['localhost', '::1', '127.0.0.1', '127.9.9.9'])('%s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each(['0.0.0.0', '::', '10.0.0.1', 'box', '127.evil.example', '1127.0.0.1'])(
    'not %s',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe('reachableHosts', () => {
  test('is the host itself, if it is one', () => {
    expect(reachableHosts('10.0.0.1')).toEqual(['10.0.0.1']);
  });

  test.each(['0.0.0.0', '::'])('of %s are addresses of this machine', (host) => {
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const found = reachableHosts(host);
    expect(found.length).toBeGreaterThan(0);
    for (const address of found) expect(own.map((each) => each.address)).toContain(address);
  });
});

test('an IPv6 address stands in brackets', () => {
  expect(workerUrl('::1', 7070)).toBe('ws://[::1]:7070');
  expect(workerUrl('box', 7070)).toBe('ws://box:7070');
});
