import { createServer } from 'node:http';
import { beforeAll, describe, expect } from 'vitest';
import type { Welcome } from '../../src/protocol/protocol.js';
import { expectError } from '../e2e/support/expectations.js';
import { test } from '../e2e/support/place.js';
import { listening } from '../e2e/support/ports.js';
import { type TinyRun, tinyRun } from '../e2e/support/tiny-run.js';
import type { HostileCoordinator, ShardServer } from './hostile-coordinator.js';
import { MICRO_BATCHES } from './hostile-messages.js';
import { bodies, foreignImport, hostileModule } from './hostile-modules.js';
import { residentMegabytes } from './memory.js';
import { frameOf, headerOf } from './mutations.js';
import { type Attack, attackWorker, giveWork, honestShard } from './victim.js';

let run: TinyRun;

beforeAll(async () => {
  run = await tinyRun(MICRO_BATCHES * 8);
});

/** A welcome in which something is wrong. */
function welcomeWith(other: (welcome: Welcome) => object): Attack {
  return (coordinator) => {
    const { welcome, module } = run;
    coordinator.send(frameOf(headerOf(Object.entries({ ...welcome, ...other(welcome) })), module));
  };
}

/** A welcome whose model is a list in a list in a list … */
function bottomless(levels: number): Attack {
  return (coordinator) => {
    const { model, ...rest } = run.welcome;
    expect(model).toBeDefined();
    const nested = Buffer.concat([
      Buffer.from('\xa5model', 'latin1'),
      Buffer.alloc(levels, 0x91),
      Buffer.of(0xc0),
    ]);
    coordinator.send(frameOf(headerOf(Object.entries(rest), nested), run.module));
  };
}

function withModule(options: Parameters<typeof hostileModule>[0]): Attack {
  return (coordinator) => giveWork(coordinator, run, hostileModule(options));
}

const attacks: readonly (readonly [what: string, attack: Attack, words: RegExp])[] = [
  [
    'sends text',
    (coordinator) => {
      coordinator.send('welcome');
    },
    /could not be read|text/,
  ],
  [
    'refuses it in colours',
    (coordinator) => {
      const reason = '\u001b[2J\u001b[31mYour disk is erased';
      coordinator.send(frameOf(headerOf(Object.entries({ type: 'refused', reason }))));
    },
    /could not be read/,
  ],
  [
    'describes no model',
    welcomeWith(() => ({ model: { name: '../../x', input: [], layers: [] } })),
    /model/,
  ],
  [
    'describes the model by a number of 64 bits',
    welcomeWith(() => ({ model: 2n ** 60n })),
    /model/,
  ],
  ['describes a model 3,500 levels deep', bottomless(3_500), /model|could not be read/],
  ['describes a model 100,000 levels deep', bottomless(100_000), /could not be read/],
  [
    'has shards whose names are paths',
    welcomeWith(({ data }) => ({
      data: { ...data, shards: [{ sha256: '../../../../tmp/x', count: 8 }] },
    })),
    /could not be read/,
  ],
  [
    'has more data than a worker takes',
    welcomeWith(({ data }) => ({
      data: { ...data, shards: Array(1_000).fill({ sha256: 'f'.repeat(64), count: 15_000_000 }) },
    })),
    /larger than a worker takes/,
  ],
  [
    'sends another module than it says',
    (coordinator) => {
      coordinator.say(run.welcome, run.module.slice(1));
    },
    /damaged/,
  ],
  ['has a module that wants a function', withModule({ imports: [foreignImport] }), /model/],
  ['has a module that wants all memory', withModule({ pages: 65_536 }), /WebAssembly|model/],
  ['has a module that fails', withModule({ body: bodies.trap }), /compute thread|model/],
  [
    'has a module that fails at its start',
    withModule({ body: bodies.trap, atStart: true }),
    /unreachable|model/,
  ],
  [
    'sends weights of another model',
    async (coordinator) => {
      await giveWork(coordinator, run, run.module);
      coordinator.say({ type: 'weights', step: 1 }, run.weights.slice(4));
    },
    /wrong size/,
  ],
  [
    'asks for micro-batches that there are not',
    async (coordinator) => {
      await giveWork(coordinator, run, run.module);
      coordinator.say({ type: 'work', step: 0, first: 0, last: 2 ** 32 - 1 });
    },
    /impossible range/,
  ],
];

const shardServers: readonly (readonly [what: string, shards: ShardServer, words: RegExp])[] = [
  [
    'has other shards than it says',
    (_, response) => response.end(run.shard.toReversed()),
    /damaged/,
  ],
  ['has shorter shards', (_, response) => response.end(run.shard.slice(1)), /wrong size/],
  [
    'has shards without end',
    (_, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    },
    /wrong size/,
  ],
  [
    'packs its shards',
    (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(run.shard);
    },
    /coordinator|wrong size|damaged/,
  ],
];

describe.concurrent('dtrain worker ends with one sentence if its coordinator', () => {
  for (const [what, attack, words] of attacks) {
    test(what, async ({ place }) => {
      expectError(await attackWorker(place, attack, honestShard(run)), 1, words);
    });
  }

  const welcome = (coordinator: HostileCoordinator): void => {
    coordinator.say(run.welcome, run.module);
  };
  for (const [what, shards, words] of shardServers) {
    test(what, async ({ place }) => {
      expectError(await attackWorker(place, welcome, shards), 1, words);
    });
  }

  test('sends it elsewhere for its shards', async ({ place }) => {
    const asked: (string | undefined)[] = [];
    const other = createServer(({ headers }, response) => {
      asked.push(headers.authorization);
      response.end('a page of another server');
    });
    const port = await listening(other);
    const shards: ShardServer = (_, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${port}/private` }).end();
    };
    expectError(await attackWorker(place, welcome, shards), 1, /shard|coordinator/);
    expect(asked, 'the other server is left alone').toEqual([]);
    other.close();
  });

  test('announces 3 GB of data, of which there are none', async ({ place }) => {
    let megabytes: number | undefined;
    let pid = 0;
    const shards: ShardServer = (_, response) => {
      megabytes = residentMegabytes(pid);
      response.end('none');
    };
    const announce: Attack = (coordinator, worker) => {
      pid = worker.pid;
      const names = Array.from({ length: 48 }, () => ({
        sha256: 'f'.repeat(64),
        count: 3_900_000,
      }));
      const { data } = run.welcome;
      coordinator.say({ ...run.welcome, data: { ...data, shards: names } }, run.module);
    };
    expectError(await attackWorker(place, announce, shards), 1, /wrong size/);
    expect(megabytes ?? 0).toBeLessThan(512);
  });
});
