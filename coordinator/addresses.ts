import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** A secret that nobody can guess. */
export function newToken(): string {
  return randomBytes(16).toString('hex');
}

/** A new token for a listener on `host`; null where only this machine can connect. */
export function tokenFor(host: string): string | null {
  return isLoopback(host) ? null : newToken();
}

/** The addresses under which other machines reach a listener on `host`. */
export function reachableHosts(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  return found.length > 0 ? found : ['127.0.0.1'];
}

/** `ws://host:port`, with brackets around an IPv6 address. */
export function workerUrl(host: string, port: number): string {
  return `ws://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
