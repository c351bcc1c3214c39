import { beforeAll, describe, expect } from 'vitest';
import { expectError, expectNoTrace } from '../e2e/support/expectations.js';
import { test } from '../e2e/support/place.js';
import type { Running } from '../e2e/support/running.js';
import { type TinyRun, tinyRun } from '../e2e/support/tiny-run.js';
import type { HostileCoordinator } from './hostile-coordinator.js';
import { hostileFrame, MICRO_BATCHES } from './hostile-messages.js';
import { bodies, hostileModule } from './hostile-modules.js';
import { diceOf, replay } from './seed.js';
import { attackWorker, giveWork, honestShard } from './victim.js';

const PROCESSES = 10;
const FRAMES = 60;

let run: TinyRun;

beforeAll(async () => {
  run = await tinyRun(MICRO_BATCHES * 8);
});

describe.concurrent('dtrain worker', () => {
  for (let process = 0; process < PROCESSES; process++) {
    test(`ends in order after noise, process ${process}`, async ({ place }) => {
      const dice = diceOf(1_000_000 + process);
      let sent = 0;
      const attack = async (coordinator: HostileCoordinator): Promise<void> => {
        if (dice.chance(0.7)) {
          coordinator.say(run.welcome, run.module);
          await coordinator.heard();
        }
        for (let frame = 0; frame < FRAMES; frame++) {
          coordinator.send(hostileFrame(dice, run));
          sent += 1;
        }
        coordinator.socket.close();
      };
      const ended = await attackWorker(place, attack, honestShard(run));
      const { code, stdout, stderr } = ended;
      expect(sent, replay('frames')).toBeGreaterThanOrEqual(FRAMES);
      expectNoTrace(stdout + stderr);
      if (code === 0) expect(stderr, replay(stdout)).toBe('');
      else if (stdout.includes('The run failed')) expect(code).toBe(1);
      else expectError(ended, 1, /\.$/);
    });
  }

  test('takes no welcome once the run is done', async ({ place }) => {
    const attack = (coordinator: HostileCoordinator): void => {
      coordinator.say({ type: 'done', outcome: 'complete' });
      coordinator.say(run.welcome, run.module);
    };
    const { code, stdout, stderr } = await attackWorker(place, attack, honestShard(run));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/The run is complete\.\n$/);
  });

  test('takes no welcome once it has complained', async ({ place }) => {
    const attack = (coordinator: HostileCoordinator): void => {
      coordinator.say({ type: 'work', step: 0, first: 0, last: 1 });
      coordinator.say(run.welcome, run.module);
    };
    expectError(await attackWorker(place, attack, honestShard(run)), 1, /too early/);
  });

  const endless = [
    ['at work', hostileModule({ body: bodies.loop })],
    ['once it has overwritten its memory', hostileModule({ body: bodies.overwriteAndLoop })],
    ['before all memory is taken', hostileModule({ body: bodies.grow })],
    ['when it is instantiated', hostileModule({ body: bodies.loop, atStart: true })],
  ] as const;
  for (const [when, module] of endless) {
    test(`is not held by a module that does not return ${when}`, async ({ place }) => {
      const attack = async (coordinator: HostileCoordinator, worker: Running): Promise<void> => {
        const line = (pattern: RegExp): Promise<unknown> =>
          worker.line(pattern).catch(() => 'it ended without');
        const working = giveWork(coordinator, run, module).then(() => coordinator.pong());
        working.catch(() => undefined);
        await Promise.race([working, line(/^Fetched /)]);
        // It may also have refused the module.
        if (coordinator.socket.readyState !== coordinator.socket.OPEN) return;
        // Twice, as a user would who sees that nothing happens.
        for (const answer of [/^Leaving the run/, /^Left the run/]) {
          worker.signal('SIGINT');
          await line(answer);
        }
      };
      const { code, stdout, stderr } = await attackWorker(place, attack, honestShard(run));
      expect([0, 1, 130]).toContain(code);
      expectNoTrace(stdout + stderr);
    });
  }
});
