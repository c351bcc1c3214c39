import type { PolicyName } from '../src/config/types.js';
import type { Price } from '../src/cost/price.js';
import type { LimitName } from '../src/events.js';
import type { MicroBatchRange } from './ranges.js';

/** A member of the run: the coordinator's own threads, or a remote worker. */
export type MemberId = number;

/** The coordinator's own threads. */
export const LOCAL: MemberId = 0;

/** Bytes of frames, without what WebSocket and the network add. */
export interface Traffic {
  sent: number;
  received: number;
}

export interface MemberProfile {
  readonly name: string;
  readonly threads: number;
  /** It shares the coordinator's memory, so it can take whole steps by itself. */
  readonly local: boolean;
  /** In the run's currency; null if nobody says what it costs. */
  readonly price: Price | null;
  /** What it has sent and received, which goes on counting. */
  readonly traffic: Readonly<Traffic>;
}

/** What the core is told. P is whatever holds the pieces of a range. */
export type CoreEvent<P> =
  /** A member is ready to compute. */
  | { readonly type: 'joined'; readonly member: MemberId; readonly profile: MemberProfile }
  /** Its connection is gone. */
  | { readonly type: 'left'; readonly member: MemberId }
  /** Its connection is open, and nothing is heard from it. */
  | { readonly type: 'silent'; readonly member: MemberId }
  /** Something was heard from it after all. */
  | { readonly type: 'heard'; readonly member: MemberId }
  /** A member's answer to `assign`. */
  | {
      readonly type: 'computed';
      readonly member: MemberId;
      readonly step: number;
      readonly range: MicroBatchRange;
      readonly pieces: P;
      /** Whether all its values are finite; what is local need not be looked at. */
      readonly finite: boolean;
      /** The time that the member says it computed: the rest of the answer's time was the link's. */
      readonly seconds: number;
    }
  /** `check` is done: the coordinator's own pieces of the range. */
  | {
      readonly type: 'checked';
      readonly member: MemberId;
      readonly step: number;
      readonly range: MicroBatchRange;
      readonly pieces: P;
      readonly finite: boolean;
    }
  /** `update` is done. */
  | { readonly type: 'updated'; readonly finite: boolean }
  /** A lease is over: so many steps were taken. */
  | {
      readonly type: 'leased';
      readonly steps: number;
      readonly finite: boolean;
      /** The time that a thread was at work, on average. */
      readonly seconds: number;
    }
  /** Its accuracy on the validation samples, of 1, if there are any. */
  | { readonly type: 'evaluated'; readonly accuracy?: number }
  /** Someone wants a checkpoint now. */
  | { readonly type: 'save' }
  /** Someone wants the run to end after the current step. */
  | { readonly type: 'stop' }
  /** The time of the last `timer` command has come. */
  | { readonly type: 'timer' };

/** What the core wants done, in this order. */
export type CoreCommand<P> =
  /** The members get the weights with which `step` is computed. */
  | { readonly type: 'sendWeights'; readonly step: number; readonly members: readonly MemberId[] }
  | {
      readonly type: 'assign';
      readonly member: MemberId;
      readonly step: number;
      readonly range: MicroBatchRange;
      /** Only to see how fast it is: others compute the range, and its pieces will be discarded. */
      readonly probe: boolean;
    }
  /** The local threads take `steps` whole steps. */
  | { readonly type: 'lease'; readonly step: number; readonly steps: number }
  /** The member's pieces belong to the step's sum, each of them exactly once. */
  | {
      readonly type: 'reduce';
      readonly member: MemberId;
      readonly range: MicroBatchRange;
      readonly pieces: P;
    }
  /** The member's pieces are not for the sum. */
  | {
      readonly type: 'discard';
      readonly member: MemberId;
      readonly pieces: P;
      readonly why: Discarded;
    }
  /**
   * A remote member's answer was not finite: compute the range here, whether or not the
   * coordinator's threads take part in the run.
   */
  | {
      readonly type: 'check';
      readonly member: MemberId;
      readonly step: number;
      readonly range: MicroBatchRange;
    }
  /** The member's answer was false: the range is finite. It will not be asked again. */
  | { readonly type: 'expel'; readonly member: MemberId }
  /** Every piece of the step is in: take the optimizer's step. */
  | { readonly type: 'update'; readonly step: number }
  /** Copy weights and optimizer state now, after `step` steps, for a checkpoint. */
  | { readonly type: 'save'; readonly step: number }
  /** An epoch is over (from 0). */
  | { readonly type: 'evaluate'; readonly epoch: number }
  /** The member is not waited for any longer: its range is given to others. */
  | { readonly type: 'lost'; readonly member: MemberId; readonly why: Absence }
  /** A lost member is there again. */
  | { readonly type: 'back'; readonly member: MemberId }
  /** The member gets no range for now (`spare`), or gets one again. */
  | {
      readonly type: 'standing';
      readonly member: MemberId;
      readonly spare: boolean;
      readonly why: Comparison;
    }
  /** The member is not needed any more, and is to exit. It will not be asked again. */
  | { readonly type: 'release'; readonly member: MemberId; readonly why: Comparison }
  /** Tell the core when it is `at` (seconds, as in `handle`); this replaces the timer before. */
  | { readonly type: 'timer'; readonly at: number }
  /** There is nobody to compute. */
  | { readonly type: 'wait' }
  /** The run is over; with the limit that ended it, if one did. */
  | { readonly type: 'finish'; readonly outcome: Outcome; readonly limit?: LimitName };

/**
 * Why pieces are discarded: the member was only probed; others were sooner; nobody asked it for
 * them, or not any more; they are not finite, or were asked for to check such.
 */
export type Discarded = 'probe' | 'late' | 'unasked' | 'doubtful';

/** Why a member is not waited for: nothing is heard from it, or no answer came in good time. */
export type Absence = 'silent' | 'stuck';

/** A prediction with a member and without it: of a step, or of the rest of the run. */
export type Comparison = StepComparison | RunComparison;

/** In seconds. */
interface StepComparison {
  readonly of: 'step';
  readonly withIt: number;
  readonly withoutIt: number;
}

export interface RunComparison {
  readonly of: 'run';
  readonly policy: PolicyName;
  readonly withIt: Rest;
  readonly withoutIt: Rest;
}

/** What all steps that are left take, in seconds, and cost, in micro-units. */
export interface Rest {
  readonly seconds: number;
  readonly cost: number;
}

export type Outcome = 'complete' | 'stopped' | 'notFinite';
