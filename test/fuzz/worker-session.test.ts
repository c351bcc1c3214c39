import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type TinyRun, tinyRun } from '../e2e/support/tiny-run.js';
import type { Dice } from '../sim/dice.js';
import { expectShardsAlone } from './folders.js';
import type { HostileCoordinator } from './hostile-coordinator.js';
import { hostileFrame, MICRO_BATCHES } from './hostile-messages.js';
import { Lane } from './lane.js';
import { MemoryTrace } from './memory.js';
import { diceOf, frames, replay } from './seed.js';
import { within } from './within.js';

const LANES = 4;
/** All of it is in this one process: workers, coordinators and the test. */
const GROWTH_MB = 128;
const BURSTS = 4;

/** What a session may end with, beside the run's end and the connection's. */
const ERRORS: readonly unknown[] = ['PROTOCOL', 'REFUSED', 'MODEL_INVALID', 'COORDINATOR_GONE'];

/** Frames from the first word, or once the worker has joined, until it has had enough. */
async function attack(dice: Dice, run: TinyRun, coordinator: HostileCoordinator): Promise<void> {
  if (dice.chance(0.8)) await coordinator.heard();
  if (dice.chance(0.6)) {
    coordinator.say(run.welcome, run.module);
    await coordinator.heard();
  }
  const { socket } = coordinator;
  for (let left = dice.whole(0, BURSTS); left > 0 && socket.readyState === socket.OPEN; left--) {
    for (let sent = dice.whole(1, 6); sent > 0; sent--) coordinator.send(hostileFrame(dice, run));
    await coordinator.pong();
  }
  if (dice.chance(0.5)) socket.terminate();
  else socket.close(dice.chance(0.5) ? 1000 : 4_000);
  await within(coordinator.closed, 'the end of a connection');
}

test('workers end in order whatever 10,000 frames a coordinator sends', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dtrain-hostile-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const run = await tinyRun(MICRO_BATCHES * 8);
  const memory = new MemoryTrace(process.pid);
  const ends = new Map<string, number>();
  let sent = 0;
  let sessions = 0;
  const play = async (lane: Lane): Promise<void> => {
    while (sent < frames) {
      const connection = sessions++;
      const dice = diceOf(connection);
      const note = replay(`session ${connection}`);
      try {
        const result = await lane.session((coordinator) => attack(dice, run, coordinator));
        const how = describeEnd(result.end, note);
        ends.set(how, (ends.get(how) ?? 0) + 1);
        sent += result.sent;
      } catch (cause) {
        throw new Error(note, { cause });
      }
      memory.sample(sent / frames);
    }
  };
  const lanes = await Promise.all(
    Array.from({ length: LANES }, () => Lane.open(run, path.join(folder, 'shards'))),
  );
  await Promise.all(lanes.map(play));
  await Promise.all(lanes.map((lane) => lane.close()));

  expect(sent).toBeGreaterThanOrEqual(frames);
  for (const how of ['done', 'lost', 'PROTOCOL', 'REFUSED', 'MODEL_INVALID']) {
    expect(ends.get(how), replay(`sessions that ended as ${how}`)).toBeGreaterThan(frames / 1_000);
  }
  expect(memory.growth, replay(`megabytes: ${String(memory)}`)).toBeLessThan(GROWTH_MB);
  await expectShardsAlone(folder, 'shards');
});

/** One word for how a session ended, which must be one that users are told of. */
function describeEnd(end: Awaited<ReturnType<Lane['session']>>['end'], note: string): string {
  if (!(end instanceof Error)) return end.type;
  expect(end, note).toMatchObject({
    name: 'DtrainError',
    code: expect.toSatisfy((code: unknown) => ERRORS.includes(code)) as unknown,
    message: expect.stringMatching(/^[\x20-\x7e]+\.$/) as unknown,
  });
  return (end as Error & { code: string }).code;
}
