import { WebSocket } from 'ws';
import { DtrainError, systemCode } from '../src/errors.js';
import { largestCoordinatorFrame, limits } from '../src/protocol/protocol.js';
import type { CoordinatorUrl } from './url.js';

/**
 * An open connection, or undefined if the coordinator cannot be reached now but may be later, or
 * if the signal ended the wait.
 * @throws DtrainError HOST_UNKNOWN, REFUSED: trying again would not help
 */
export async function connect(
  url: CoordinatorUrl,
  token: string | null,
  signal: AbortSignal,
): Promise<WebSocket | undefined> {
  const socket = new WebSocket(url.socket, {
    perMessageDeflate: false,
    handshakeTimeout: limits.handshakeMs,
    maxPayload: largestCoordinatorFrame,
    // Masks keep scripts in browsers from forging requests; here they would only cost time.
    generateMask: (mask) => mask.fill(0),
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
  const giveUp = (): void => {
    socket.terminate();
  };
  signal.addEventListener('abort', giveUp);
  return new Promise<WebSocket | undefined>((resolve, reject) => {
    socket.once('open', () => {
      resolve(socket);
    });
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      reject(refusal(url, token, response.statusCode ?? 0));
    });
    socket.on('error', (error) => {
      if (systemCode(error) === 'ENOTFOUND') {
        const sentence = `There is no host named ${url.host}: check the address of the coordinator.`;
        reject(new DtrainError('HOST_UNKNOWN', sentence, { cause: error }));
      } else resolve(undefined);
    });
  }).finally(() => {
    signal.removeEventListener('abort', giveUp);
  });
}

function refusal(url: CoordinatorUrl, token: string | null, status: number): DtrainError {
  switch (status) {
    case 401:
      return new DtrainError(
        'REFUSED',
        token === null
          ? `The coordinator at ${url.text} wants a token: give it with --token or --token-file.`
          : `The coordinator at ${url.text} does not know this token: check --token.`,
      );
    case 503:
      return new DtrainError(
        'REFUSED',
        `The coordinator at ${url.text} has all the workers it takes: stop one of them first.`,
      );
    default:
      return new DtrainError(
        'REFUSED',
        `What answers at ${url.text} is no dtrain coordinator (HTTP status ${status}): check the address.`,
      );
  }
}
