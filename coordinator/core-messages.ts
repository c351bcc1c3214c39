import type { MicroBatchRange } from './ranges.js';

/** A member of the run: the coordinator's own threads, or a remote worker. */
export type MemberId = number;

export interface MemberProfile {
  readonly threads: number;
  /** It shares the coordinator's memory, so it can take whole steps by itself. */
  readonly local: boolean;
}

/** What the core is told. P is whatever holds the pieces of a range. */
export type CoreEvent<P> =
  /** A member is ready to compute. */
  | { readonly type: 'joined'; readonly member: MemberId; readonly profile: MemberProfile }
  | { readonly type: 'left'; readonly member: MemberId }
  /** A member's answer to `assign`. */
  | {
      readonly type: 'computed';
      readonly member: MemberId;
      readonly step: number;
      readonly range: MicroBatchRange;
      readonly pieces: P;
      /** From assignment to answer. */
      readonly seconds: number;
    }
  /** `update` is done. */
  | { readonly type: 'updated'; readonly finite: boolean }
  /** A lease is over: so many steps were taken. */
  | {
      readonly type: 'leased';
      readonly steps: number;
      readonly seconds: number;
      readonly finite: boolean;
    }
  | { readonly type: 'evaluated' }
  /** Someone wants the run to end after the current step. */
  | { readonly type: 'stop' };

/** What the core wants done. */
export type CoreCommand<P> =
  /** The members get the weights with which `step` is computed. */
  | { readonly type: 'sendWeights'; readonly step: number; readonly members: readonly MemberId[] }
  | {
      readonly type: 'assign';
      readonly member: MemberId;
      readonly step: number;
      readonly range: MicroBatchRange;
    }
  /** The local threads take `steps` whole steps. */
  | { readonly type: 'lease'; readonly step: number; readonly steps: number }
  /** The pieces belong to the step's sum, each of them exactly once. */
  | { readonly type: 'reduce'; readonly range: MicroBatchRange; readonly pieces: P }
  /** Nobody asked for these pieces, or not any more. */
  | { readonly type: 'discard'; readonly pieces: P }
  /** Every piece of the step is in: take the optimizer's step. */
  | { readonly type: 'update'; readonly step: number }
  /** An epoch is over (from 0). */
  | { readonly type: 'evaluate'; readonly epoch: number }
  /** There is nobody to compute. */
  | { readonly type: 'wait' }
  | { readonly type: 'finish'; readonly outcome: Outcome };

export type Outcome = 'complete' | 'stopped' | 'notFinite';
