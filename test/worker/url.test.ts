import { describe, expect, test } from 'vitest';
import { parseCoordinatorUrl } from '../../worker/url.js';
import { dtrainError } from '../data/helpers.js';

describe('is the address of a coordinator:', () => {
  test.each([
    ['ws://box:9000', 'ws://box:9000', 'http://box:9000'],
    ['ws://box:9000/', 'ws://box:9000', 'http://box:9000'],
    ['http://box:9000', 'ws://box:9000', 'http://box:9000'],
    ['wss://box:9000', 'wss://box:9000', 'https://box:9000'],
    ['https://box:9000', 'wss://box:9000', 'https://box:9000'],
    ['WS://Box:9000', 'ws://box:9000', 'http://box:9000'],
    ['box:9000', 'ws://box:9000', 'http://box:9000'],
    ['localhost:9000', 'ws://localhost:9000', 'http://localhost:9000'],
    ['192.168.1.7:9000', 'ws://192.168.1.7:9000', 'http://192.168.1.7:9000'],
    ['[::1]:9000', 'ws://[::1]:9000', 'http://[::1]:9000'],
    ['ws://[fe80::1]:9000', 'ws://[fe80::1]:9000', 'http://[fe80::1]:9000'],
    // The port of dtrain where none is given.
    ['box', 'ws://box:7070', 'http://box:7070'],
    ['ws://box', 'ws://box:7070', 'http://box:7070'],
    ['http://box/', 'ws://box:7070', 'http://box:7070'],
    ['192.168.1.7', 'ws://192.168.1.7:7070', 'http://192.168.1.7:7070'],
    ['[::1]', 'ws://[::1]:7070', 'http://[::1]:7070'],
    // The port of the web, which URLs do not show, where it is given or the connection is secure.
    ['ws://box:80', 'ws://box', 'http://box'],
    ['http://box:80/', 'ws://box', 'http://box'],
    ['wss://box', 'wss://box', 'https://box'],
    ['https://box:443', 'wss://box', 'https://box'],
    ['wss://box:80', 'wss://box:80', 'https://box:80'],
  ])('%s', (text, socket, http) => {
    expect(parseCoordinatorUrl(text)).toMatchObject({
      socket: `${socket}/ws`,
      shards: `${http}/shards/`,
      text: socket,
    });
  });
});

test('names the host alone, for messages', () => {
  expect(parseCoordinatorUrl('ws://box.example:9000').host).toBe('box.example');
});

describe('is no address of a coordinator:', () => {
  test.each([
    '',
    ' ',
    'ws://',
    ':9000',
    'ftp://box:9000',
    'file:///etc/passwd',
    'javascript://box',
    'ws://box:port',
    'ws://box:99999',
    'ws://box:9000:9000',
    'ws://box:9000/ws',
    'ws://box:9000/run/7',
    'http://box/dtrain',
    'ws://user@box:9000',
    'ws://user:secret@box:9000',
    'ws://:secret@box:9000',
    'ws://box:9000/?token=secret',
    'ws://box:9000#run',
    '::1',
    'two words:9000',
    'ws://[::1:9000',
  ])('%s', (text) => {
    expect(() => parseCoordinatorUrl(text)).toThrow(
      expect.objectContaining({ name: 'DtrainError', code: 'USAGE' }) as Error,
    );
  });

  test('and the message shows it and how one looks', () => {
    let error: unknown;
    try {
      parseCoordinatorUrl('ftp://box');
    } catch (caught) {
      error = caught;
    }
    expect(error).toEqual(dtrainError('USAGE', 'ftp://box', 'ws://host:7070'));
  });
});
