import { DtrainError } from '../src/errors.js';
import { paths } from '../src/protocol/protocol.js';

/** A coordinator's addresses, from what the user typed. */
export interface CoordinatorUrl {
  /** As in messages: `ws://host:port`. */
  readonly text: string;
  readonly host: string;
  readonly socket: string;
  /** Of shards, to which the hash is added. */
  readonly shards: string;
}

const DEFAULT_PORT = '7070';

/**
 * `ws://host:port`, `http://host:port` (or wss, https) or `host:port`.
 * @throws DtrainError USAGE
 */
export function parseCoordinatorUrl(text: string): CoordinatorUrl {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  const secure = url && ['wss:', 'https:'].includes(url.protocol);
  if (!url || !/^(ws|http)s?:$/.test(url.protocol) || url.pathname !== '/' || hasMore(url)) {
    throw new DtrainError(
      'USAGE',
      `"${text}" is not the address of a coordinator: give it as ws://host:${DEFAULT_PORT}.`,
    );
  }
  const explicit = /:\d+\/?$/.test(withScheme);
  const port = url.port || (explicit || secure ? '' : DEFAULT_PORT);
  const place = port ? `${url.hostname}:${port}` : url.hostname;
  return {
    text: `${secure ? 'wss' : 'ws'}://${place}`,
    host: url.hostname,
    socket: `${secure ? 'wss' : 'ws'}://${place}${paths.socket}`,
    shards: `${secure ? 'https' : 'http'}://${place}${paths.shards}`,
  };
}

/** Parts that an address does not have; a secret among them must not be dropped in silence. */
function hasMore({ username, password, search, hash }: URL): boolean {
  return [username, password, search, hash].some((part) => part !== '');
}
