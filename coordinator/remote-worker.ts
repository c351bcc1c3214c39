import type { RawData, WebSocket } from 'ws';
import { batchOf, type BatchPlan } from '../src/data/batches.js';
import { type Arithmetic, arithmeticOf, enginesFor } from '../src/engine/names.js';
import { DtrainError } from '../src/errors.js';
import { decodeFrame, encodeFrame } from '../src/protocol/frame.js';
import {
  type CoordinatorMessage,
  limits,
  pieceBytes,
  PROTOCOL_VERSION,
  type WorkerMessage,
  workerMessage,
} from '../src/protocol/protocol.js';
import { type Price, readPrice } from '../src/cost/price.js';
import type { Pricing } from '../src/cost/pricing.js';
import type { WorkerAction } from '../src/events.js';
import { coveringNodes } from '../src/reduce/tree.js';
import type { HeldPiece, ThreadPool } from '../src/threads/pool.js';
import { comparisonText } from './comparison-text.js';
import type { Absence, Comparison, MemberId, Traffic } from './core-messages.js';
import type { RemoteMember } from './remote-members.js';
import type { Training } from './training.js';

/** Who has a use for workers: a run, or somebody who only measures them. */
export type WorkerHost = Pick<
  Training,
  'workers' | 'refusal' | 'traffic' | 'join' | 'leave' | 'silent' | 'heard' | 'answer'
>;

export interface RemoteWorkerOptions {
  readonly training: WorkerHost;
  /** Where it connects from. */
  readonly address: string;
  readonly pool: ThreadPool;
  readonly plan: BatchPlan;
  readonly parameterCount: number;
  /** Of the run's engines. */
  readonly arithmetic: Arithmetic;
  readonly pricing: Pricing;
  /** The frame that tells a worker all about the run. */
  readonly welcome: Buffer;
  /** How long it may take from there until it is ready. */
  readonly prepareMs: number;
  /** What it does now; for some of that, why. */
  readonly onAction: (action: WorkerAction, reason?: string) => void;
  /** Somebody was turned away. */
  readonly onRefused: (reason: string) => void;
  readonly onClosed: () => void;
}

type State = 'new' | 'preparing' | 'member' | 'gone';

/** The coordinator's end of one worker's connection. */
export class RemoteWorker implements RemoteMember {
  readonly #socket: WebSocket;
  readonly #options: RemoteWorkerOptions;
  readonly #heartbeat: NodeJS.Timeout;
  /** When it must have got as far as the next state. */
  #due: NodeJS.Timeout;
  #unanswered = 0;
  #silent = false;
  #unasked = 0;
  #state: State = 'new';
  #member: MemberId = 0;
  name = '';
  threads = 0;
  price: Price | null = null;
  /** As the worker sends and receives. */
  readonly traffic: Traffic = { sent: 0, received: 0 };

  /** Where it connects from. */
  get address(): string {
    return this.#options.address;
  }

  constructor(socket: WebSocket, options: RemoteWorkerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#due = setTimeout(() => {
      this.#drop('it did not introduce itself in time');
    }, limits.handshakeMs);
    this.#heartbeat = setInterval(() => {
      this.#beat();
    }, limits.heartbeat.everyMs);
    socket.on('pong', () => {
      this.#heard();
    });
    socket.on('message', (data, isBinary) => {
      this.#heard();
      this.#receive(data, isBinary);
    });
    socket.on('error', (error) => {
      this.#drop(printable(error.message));
    });
    socket.on('close', () => {
      clearInterval(this.#heartbeat);
      this.#gone('its connection was lost');
      options.onClosed();
    });
  }

  send(frame: Buffer): void {
    this.#socket.send(frame);
    const { parameterCount, training } = this.#options;
    training.traffic.sent += frame.length;
    this.traffic.received += frame.length;
    const most = limits.waitingBytes + 2 * pieceBytes(parameterCount);
    if (this.#state === 'member' && this.#socket.bufferedAmount > most) {
      this.#cut('it does not read what it is sent');
    }
  }

  lost(why: Absence): void {
    const seconds = (limits.heartbeat.everyMs * limits.heartbeat.unanswered) / 1000;
    const reasons: Record<Absence, string> = {
      silent: `it has been silent for ${seconds} s`,
      stuck: 'it answers pings but makes no progress',
    };
    this.#options.onAction('lost', reasons[why]);
  }

  back(): void {
    this.#options.onAction('back');
  }

  standing(spare: boolean, why: Comparison): void {
    this.#options.onAction(spare ? 'spare' : 'working', this.#reason(why));
    this.send(encodeFrame({ type: 'standing', spare } satisfies CoordinatorMessage));
  }

  release(why: Comparison): void {
    const reason = this.#reason(why);
    this.dismiss(encodeFrame({ type: 'released', reason } satisfies CoordinatorMessage));
    this.#options.onAction('left', `it was released, since ${reason}`);
  }

  #reason(why: Comparison): string {
    return comparisonText(why, this.#options.pricing.currency);
  }

  answered(asked: boolean): void {
    this.#unasked = asked ? 0 : this.#unasked + 1;
    if (this.#unasked > limits.unaskedAnswers) this.#drop('it sends answers that nobody asks for');
  }

  expel(): void {
    this.#drop('it sent values that are not finite, where they are finite');
  }

  /** It is not needed any more, and is not there from now on: a last frame. */
  dismiss(frame: Buffer): void {
    const before = this.#state;
    this.end(frame);
    if (before === 'member') this.#options.training.leave(this.#member);
  }

  /** The run is over: a last frame, and the end of the connection. */
  end(frame: Buffer): void {
    this.#state = 'gone';
    clearTimeout(this.#due);
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.send(frame);
    this.#socket.close(1000);
  }

  /** A paused process, or a cable that was pulled, leaves the connection open and is silent. */
  #beat(): void {
    const { everyMs, unanswered } = limits.heartbeat;
    if (this.#unanswered * everyMs >= limits.workerSilentMs) {
      this.#cut(`it has been silent for ${limits.workerSilentMs / 1000} s`);
      return;
    }
    if (this.#unanswered >= unanswered && !this.#silent) {
      this.#silent = true;
      if (this.#state === 'member') this.#options.training.silent(this.#member);
    }
    this.#unanswered += 1;
    this.#socket.ping();
  }

  #heard(): void {
    this.#unanswered = 0;
    if (!this.#silent) return;
    this.#silent = false;
    if (this.#state === 'member') this.#options.training.heard(this.#member);
  }

  #receive(data: RawData, isBinary: boolean): void {
    try {
      if (!isBinary || !Buffer.isBuffer(data)) throw protocolError('it sent text');
      this.#options.training.traffic.received += data.length;
      this.traffic.sent += data.length;
      if (this.#state === 'new' && data.length > limits.helloBytes) {
        throw protocolError('its first message is too long');
      }
      if (this.#state === 'gone') return;
      const { message, payload } = decodeFrame(workerMessage, data);
      this.#handle(message, payload);
    } catch (error) {
      // Whatever a stranger's message does here, the run goes on without that stranger.
      const known = error instanceof DtrainError;
      this.#drop(known ? error.message.replace(/\.$/, '') : 'its message could not be taken');
    }
  }

  #handle(message: WorkerMessage, payload: Uint8Array): void {
    switch (message.type) {
      case 'hello':
        this.#hello(message);
        return;
      case 'ready':
        if (this.#state !== 'preparing') throw protocolError('it was ready out of turn');
        // Others may have come meanwhile.
        this.#expectWelcome(this.price);
        clearTimeout(this.#due);
        this.#state = 'member';
        this.#options.onAction('joined');
        this.#member = this.#options.training.join(this);
        return;
      case 'pieces':
        this.#pieces(message, payload);
        return;
      case 'leave':
        this.#gone('it left');
        this.#socket.close(1000);
        return;
    }
  }

  /** @throws DtrainError PROTOCOL if the run cannot have it at this price */
  #expectWelcome(price: Price | null): void {
    const refusal = this.#options.training.refusal(price);
    if (refusal !== undefined) throw protocolError(refusal);
  }

  #hello({ protocol, name, threads, engine, price }: WorkerMessage & { type: 'hello' }): void {
    if (this.#state !== 'new') throw protocolError('it introduced itself twice');
    clearTimeout(this.#due);
    if (protocol !== PROTOCOL_VERSION) {
      throw protocolError(
        `this coordinator speaks protocol version ${PROTOCOL_VERSION} and the worker ${protocol}; install the same version of dtrain on both`,
      );
    }
    const { arithmetic } = this.#options;
    if (engine !== 'auto' && arithmeticOf(engine) !== arithmetic) {
      throw protocolError(
        `its engine ${engine} is ${arithmeticOf(engine)}, and all engines of this run are ${arithmetic}; start it with --engine ${enginesFor(arithmetic)}`,
      );
    }
    const paid = this.#options.pricing.of(name, price ? readPrice(price) : null);
    if ('refusal' in paid) throw protocolError(paid.refusal);
    this.#expectWelcome(paid.price);
    this.#state = 'preparing';
    this.price = paid.price;
    this.name = name;
    this.threads = threads;
    this.#due = setTimeout(() => {
      this.#drop('it did not get ready in time');
    }, this.#options.prepareMs);
    this.send(this.#options.welcome);
  }

  #pieces(message: WorkerMessage & { type: 'pieces' }, payload: Uint8Array): void {
    const { step, first, last, micros } = message;
    if (this.#state !== 'member') throw protocolError('it sent pieces before it was ready');
    const { pool, plan, parameterCount, training } = this.#options;
    const { microBatches } = batchOf(plan, step);
    if (first >= last || last > microBatches) throw protocolError('it sent an impossible range');
    const nodes = coveringNodes(first, last, microBatches);
    const bytes = pieceBytes(parameterCount);
    if (payload.length !== nodes.length * bytes) {
      throw protocolError('it sent pieces of the wrong size');
    }
    pool.reserve(nodes.length);
    const pieces: HeldPiece[] = nodes.map((node, index) => {
      const place = pool.pieces.take();
      const piece = payload.subarray(index * bytes, (index + 1) * bytes);
      new Uint8Array(pool.memory.buffer).set(piece, place);
      return { node, place };
    });
    training.answer(this.#member, step, { first, last }, pieces, {
      finite: pieces.every(({ place }) => pool.isFinite(place)),
      seconds: micros / 1e6,
    });
  }

  /** Tells the worker why, and closes. */
  #drop(reason: string): void {
    this.#refuse(reason);
    if (this.#socket.readyState === this.#socket.OPEN) {
      const refusal: CoordinatorMessage = { type: 'refused', reason: reason.slice(0, 1_000) };
      this.send(encodeFrame(refusal));
      this.#socket.close(1008);
    }
    this.#gone(reason);
  }

  /** Ends the connection of one who would not hear a reason. */
  #cut(reason: string): void {
    this.#refuse(reason);
    this.#gone(reason);
    this.#socket.terminate();
  }

  /** Tells the operator of one who has never been a member. */
  #refuse(reason: string): void {
    if (this.#state === 'new' || this.#state === 'preparing') this.#options.onRefused(reason);
  }

  #gone(reason: string): void {
    clearTimeout(this.#due);
    const before = this.#state;
    this.#state = 'gone';
    if (before !== 'member') return;
    this.#options.training.leave(this.#member);
    this.#options.onAction('left', reason);
  }
}

function protocolError(reason: string): DtrainError {
  return new DtrainError('PROTOCOL', reason);
}

/** Without what could move a terminal's cursor, or fill its screen. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
