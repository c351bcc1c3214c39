import { pieceBytes } from '../../src/protocol/protocol.js';
import { model, poolFor, type Problem } from '../threads/problem.js';
import { Client } from './client.js';

export interface HonestWorker {
  readonly client: Client;
  /** Ranges that it has computed. */
  readonly computed: { step: number; first: number; last: number }[];
  /** What it was told: whether it is a spare. */
  readonly standings: boolean[];
  /** How the run ended for it; undefined if the connection was lost. */
  readonly outcome: Promise<string | undefined>;
}

/** What the pieces of a range are on the wire, computed with the given weights. */
export type PiecesOf = (step: number, first: number, last: number) => Promise<Uint8Array>;

export function computing(problem: Problem): { weights: Float32Array; piecesOf: PiecesOf } {
  const pool = poolFor(problem, 1);
  return {
    weights: pool.weights,
    piecesOf: async (step, first, last) => {
      const pieces = await pool.range(step, first, last);
      const bytes = pieceBytes(model.parameterCount);
      const payload = new Uint8Array(pieces.length * bytes);
      for (const [index, { place }] of pieces.entries()) {
        payload.set(new Uint8Array(pool.memory.buffer, place, bytes), index * bytes);
        pool.pieces.give(place);
      }
      return payload;
    },
  };
}

/** A worker that does what a worker has to do, until the run is over. */
export async function honestWorker(
  problem: Problem,
  port: number,
  name = 'honest',
): Promise<HonestWorker> {
  const client = await Client.connect(port);
  const computed: HonestWorker['computed'] = [];
  const standings: boolean[] = [];
  const { weights, piecesOf } = computing(problem);
  const work = async (): Promise<string | undefined> => {
    await client.join(name);
    for (;;) {
      const frame = await client.frame();
      switch (frame?.message.type) {
        case 'weights':
          weights.set(new Float32Array(Uint8Array.from(frame.payload).buffer));
          break;
        case 'work': {
          const { step, first, last } = frame.message;
          computed.push({ step, first, last });
          const pieces = await piecesOf(step, first, last);
          client.say({ type: 'pieces', step, first, last, micros: 0 }, pieces);
          break;
        }
        case 'standing':
          standings.push(frame.message.spare);
          break;
        case 'done':
          return frame.message.outcome;
        case undefined:
          return undefined;
        default:
          throw new Error(`${frame?.message.type ?? ''} is not for an honest worker`);
      }
    }
  };
  return { client, computed, standings, outcome: work() };
}
