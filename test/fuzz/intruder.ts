import { once } from 'node:events';
import { encodeFrame } from '../../src/protocol/frame.js';
import type { Dice } from '../sim/dice.js';
import {
  forgedPieces,
  hostilePieces,
  type Knowledge,
  lies,
  wrongAnswer,
} from './hostile-pieces.js';
import type { CutOff, HostileWorker } from './hostile-worker.js';
import { hello, leave, ready } from './messages.js';
import { noise, nonsense, spoilt, spoiltBytes } from './mutations.js';
import { clientFrame, FIN, headOf, opcodes, type RawSocket, upgradeHeaders } from './raw-socket.js';
import { pick } from './seed.js';
import { within } from './within.js';

/** How far an intruder goes before it attacks. */
export type Role = 'stranger' | 'introduced' | 'member' | 'liar' | 'forger' | 'ghost' | 'bytes';

/** What came of one connection. */
export interface Intrusion {
  readonly frames: number;
  readonly worked: boolean;
  readonly cutOff: CutOff | undefined;
}

const NAMES = ['honest', 'hostile', 'hostile'] as const;
/** A connection is given up by its attacker after so many bursts that did not end it. */
const BURSTS = 4;

/** One hostile WebSocket from its first frame until it is cut off, or has sent enough. */
export async function intrude(
  dice: Dice,
  role: Exclude<Role, 'bytes'>,
  worker: HostileWorker,
  hearsay: Knowledge,
): Promise<Intrusion> {
  const known = (): Knowledge => ({ ...hearsay, ...(worker.work && { work: worker.work }) });
  const introduced = role === 'introduced' || role === 'ghost';
  if (introduced || (role === 'forger' && dice.chance(0.7))) worker.say(hello(pick(dice, NAMES)));
  if (role === 'member' || role === 'liar') worker.join(pick(dice, NAMES), dice.whole(1, 256));
  if (role === 'ghost') {
    worker.say(ready);
    if (dice.chance(0.5)) await worker.heard();
    worker.say(leave);
  } else if (role !== 'stranger') await worker.heard();
  for (let bursts = 0; bursts < BURSTS && !worker.isOver; bursts++) {
    for (let frames = dice.whole(1, 6); frames > 0; frames--) {
      // Who has no work yet may be given any.
      const as = role === 'liar' && !worker.work ? 'member' : role;
      worker.send(hostileFrame(dice, as, known()));
    }
    await worker.heard();
  }
  const worked = worker.work !== undefined;
  const cutOff = worker.isOver ? await worker.cutOff : undefined;
  if (!cutOff && dice.chance(0.3)) worker.say(leave);
  if (dice.chance(0.5)) worker.close();
  else worker.socket.close(dice.chance(0.5) ? 1000 : 4_000);
  await within(worker.cutOff, 'the end of a connection');
  return { frames: worker.sent, worked, cutOff };
}

function hostileFrame(dice: Dice, role: Role, known: Knowledge): Buffer | string {
  if (role === 'forger' || role === 'ghost') return forgedPieces(dice, known);
  if (role === 'liar') return lies(dice, known);
  const what = dice.next();
  if (what < 0.1) return nonsense(dice);
  if (what < 0.15) return dice.chance(0.5) ? 'text' : JSON.stringify(hello('text'));
  if (what < 0.45) return hostilePieces(dice, known);
  if (what < 0.55) return encodeFrame(outOfTurn(dice, role));
  return spoilt(dice, pick(dice, [hello('spoilt'), ready, leave]));
}

/** A member that answers whatever it is asked, and always wrong, until it is cut off. */
export async function answerWrongly(
  dice: Dice,
  worker: HostileWorker,
  known: Omit<Knowledge, 'work'>,
): Promise<Intrusion> {
  worker.join('answerer');
  for (let work = await worker.nextWork(); work; work = await worker.nextWork()) {
    worker.send(wrongAnswer(dice, { ...known, work }));
  }
  return { frames: worker.sent, worked: true, cutOff: await worker.cutOff };
}

/** A true message that is not due. It must not make a member of one that goes on to lie. */
function outOfTurn(dice: Dice, role: Role): object {
  if (role === 'stranger') return pick(dice, [ready, leave]);
  if (role === 'introduced') return hello('twice');
  return pick(dice, [hello('twice'), ready]);
}

/** Bytes that are no WebSocket's, or no HTTP request's; counted as one frame. */
export async function intrudeWithBytes(dice: Dice, raw: RawSocket): Promise<void> {
  if (dice.chance(0.3)) {
    const request = Buffer.from(headOf('/ws', upgradeHeaders));
    raw.write(dice.chance(0.5) ? spoiltBytes(dice, request) : noise(dice, dice.whole(1, 2_000)));
  } else {
    await raw.upgrade();
    const frame = clientFrame(FIN | opcodes.binary, encodeFrame(hello('bytes')));
    raw.write(spoiltBytes(dice, frame.subarray(0, dice.chance(0.7) ? 8 : frame.length)));
    raw.write(noise(dice, dice.whole(0, 200)));
  }
  raw.socket.end();
  if (dice.chance(0.5)) raw.close();
  else await within(Promise.race([once(raw.socket, 'end'), raw.ended]), 'the end of a connection');
}
