import { expect, test } from 'vitest';
import { decodeFrame, encodeFrame } from '../../src/protocol/frame.js';
import { coordinatorMessage, workerMessage } from '../../src/protocol/protocol.js';
import { dtrainError } from '../data/helpers.js';
import { hello, leave, pieces, ready } from './messages.js';
import { nonsense, spoilt } from './mutations.js';
import { diceOf, frames, pick, replay } from './seed.js';

function readWorkers(frame: Buffer): object {
  return decodeFrame(workerMessage, frame).message;
}

function readCoordinators(frame: Buffer): object {
  return decodeFrame(coordinatorMessage, frame).message;
}

test('no frame is more than a message or a PROTOCOL error, or changes how the next is read', () => {
  const honest = [hello('honest', 64), ready, pieces(100, 65, 127), leave];
  let refused = 0;
  for (let index = 0; index < frames; index++) {
    const dice = diceOf(index);
    const hostile = dice.chance(0.7) ? spoilt(dice, pick(dice, honest)) : nonsense(dice);
    for (const read of [readWorkers, readCoordinators]) {
      try {
        read(hostile);
      } catch (error) {
        expect(error, replay(`frame ${index}`)).toEqual(dtrainError('PROTOCOL'));
        refused += 1;
      }
    }
    const next = pick(dice, honest);
    expect(readWorkers(encodeFrame(next)), replay(`the message after frame ${index}`)).toEqual(
      next,
    );
  }
  expect(refused, 'frames that were refused').toBeGreaterThan(frames / 2);
});
