import { encodeFrame } from '../../src/protocol/frame.js';
import { pieceBytes } from '../../src/protocol/protocol.js';
import { buildModel } from '../../src/model/model.js';
import { lenet5 } from '../../src/model/lenet5.js';
import { coveringNodes } from '../../src/reduce/tree.js';
import type { Dice } from '../sim/dice.js';
import { pieces } from './messages.js';
import { spoilt } from './mutations.js';
import { pick } from './seed.js';

/** Of LeNet-5, which is what coordinators here train. */
export const PARAMETERS = buildModel(lenet5).parameterCount;
/** Bytes of one of its pieces. */
export const PIECE = pieceBytes(PARAMETERS);

/** What an attacker knows of the run. */
export interface Knowledge {
  readonly totalSteps: number;
  readonly microBatches: number;
  /** The last work that it was given, or has seen others be given. */
  readonly work: { readonly step: number; readonly first: number; readonly last: number };
  /** Answers of honest workers, as frames. */
  readonly answers: readonly Buffer[];
}

/** Pieces of the right size for a range, with the same value all over. */
export function payloadOf(known: Knowledge, first: number, last: number, value = 0): Float32Array {
  const nodes = coveringNodes(first, last, known.microBatches).length;
  return new Float32Array((nodes * PIECE) / 4).fill(value);
}

export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Pieces that nobody may count. Finite ones of the right size are only for steps that are over or
 * will never be: others could be the very answer that was asked for, which nobody can tell from a
 * true one.
 */
export function hostilePieces(dice: Dice, known: Knowledge): Buffer {
  const { step } = known.work;
  const [first, last] = range(dice, known);
  switch (dice.whole(0, 7)) {
    case 0:
      return finite(known, step > 0 ? dice.whole(0, step - 1) : 2 ** 32 - 1, first, last);
    case 1:
      return finite(known, dice.whole(known.totalSteps, 2 ** 32 - 1), first, last);
    case 2:
      return replayed(dice, known);
    case 3: {
      const { first, last } = known.work;
      return poisoned(dice, known, step, first, last);
    }
    case 4:
      return poisoned(dice, known, step + dice.whole(0, 3), first, last);
    case 5:
      return wrongSize(dice, known, step, first, last);
    case 6: {
      const bounds = [0, last, known.microBatches + 1, 2 ** 32 - 1];
      const message = pieces(step, pick(dice, bounds), pick(dice, bounds));
      return encodeFrame(message, new Uint8Array(PIECE - 4));
    }
    default:
      return spoilt(dice, pieces(step, first, last), poison(dice, known, first, last));
  }
}

/** What would be taken if it came from a member: true, false or replayed. */
export function forgedPieces(dice: Dice, known: Knowledge): Buffer {
  if (dice.chance(0.3)) return replayed(dice, known);
  const { step, first, last } = known.work;
  return finite(known, step, first, last);
}

/**
 * Wrong pieces for anything but the work that a member has been given and does not answer: as long
 * as it does not, it is asked for nothing else.
 */
export function lies(dice: Dice, known: Knowledge): Buffer {
  const { work } = known;
  const step = Math.max(0, work.step + dice.whole(-1, 3));
  const [first, last] = range(dice, known);
  const asked = step === work.step && first === work.first && last === work.last;
  return finite(known, asked ? step + 1 : step, first, last);
}

/** The answer to the work that was given, and never a true one. */
export function wrongAnswer(dice: Dice, known: Knowledge): Buffer {
  const { step, first, last } = known.work;
  return dice.chance(0.8)
    ? poisoned(dice, known, step, first, last)
    : wrongSize(dice, known, step, first, last);
}

function range(dice: Dice, { microBatches, work }: Knowledge): [number, number] {
  if (dice.chance(0.5)) return [work.first, work.last];
  const first = dice.whole(0, microBatches - 1);
  return [first, dice.whole(first + 1, microBatches)];
}

function finite(known: Knowledge, step: number, first: number, last: number): Buffer {
  return encodeFrame(pieces(step, first, last), bytesOf(payloadOf(known, first, last, 0.125)));
}

function replayed(dice: Dice, { answers }: Knowledge): Buffer {
  return answers.length === 0 ? Buffer.alloc(0) : pick(dice, answers);
}

function poisoned(dice: Dice, known: Knowledge, step: number, first: number, last: number): Buffer {
  return encodeFrame(pieces(step, first, last), poison(dice, known, first, last));
}

/** Pieces of the right size with one value, or more, that is not finite. */
function poison(dice: Dice, known: Knowledge, first: number, last: number): Uint8Array {
  const values = payloadOf(known, first, last);
  const value = pick(dice, [NaN, Infinity, -Infinity]);
  if (dice.chance(0.2)) values.fill(value);
  // The last two of a piece are the loss and the correct answers.
  else values[dice.chance(0.5) ? values.length - dice.whole(1, 2) : dice.whole(0, 99)] = value;
  return bytesOf(values);
}

function wrongSize(
  dice: Dice,
  known: Knowledge,
  step: number,
  first: number,
  last: number,
): Buffer {
  const right = bytesOf(payloadOf(known, first, last)).length;
  const lengths = [right - 1, right + 1, right - 4, right + 4, 0, 4];
  const huge = right + PIECE * known.microBatches;
  const length = pick(dice, [...lengths, right - PIECE, right + PIECE, huge]);
  return encodeFrame(pieces(step, first, last), new Uint8Array(Math.max(0, length)));
}
