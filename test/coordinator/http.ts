import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP connection for the running test, which keeps its half open. */
export function openSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return new Promise((resolve) => {
    socket.once('connect', () => {
      resolve(socket);
    });
  });
}

/** What the other side sends until it closes its half. */
export async function everythingFrom(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString('latin1');
  return text;
}

/** Sends a request as it is, without the care that fetch takes, and gives the whole answer. */
export async function rawRequest(
  port: number,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<{ status: number; body: string }> {
  const socket = await openSocket(port);
  const lines = Object.entries({ host: 'x', connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const text = await everythingFrom(socket);
  socket.destroy();
  const [head = '', ...body] = text.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1.1 (\d+)/.exec(head)?.[1]), body: body.join('\r\n\r\n') };
}

export const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.from('sixteen bytes ok').toString('base64'),
} as const;
