import { expect, test } from 'vitest';
import { LOCAL } from '../../coordinator/core-messages.js';
import { Ledger } from '../../coordinator/ledger.js';
import { type Account, rolledBack } from '../../src/cost/ledger.js';
import { Pricing } from '../../src/cost/pricing.js';
import type { Price } from '../../src/cost/price.js';
import {
  type Command,
  evaluated,
  type Event,
  leased,
  left,
  piecesOf,
  updated,
} from './core-under-test.js';
import { profileOf } from './profiles.js';

const price: Price = {
  perHour: 3_600_000n,
  currency: 'USD',
  minimumSeconds: 0,
  perGigabyte: 0n,
};
const half = { first: 0, last: 4 };

/** A ledger in virtual time of a run of steps of 8 micro-batches of 8. */
class LedgerUnderTest {
  now = 100;
  readonly ledger: Ledger;

  constructor({
    threads = 0,
    before,
  }: { threads?: number; before?: ReturnType<Ledger['state']> } = {}) {
    const local = profileOf({ name: 'local', threads, local: true });
    const plan = { samples: 6400, batch: 64 };
    const pricing = Pricing.none();
    this.ledger = new Ledger(
      { plan, pricing, local, firstStep: 0, before, date: 'today' },
      this.now,
    );
  }

  /** After some seconds something happens, and the core wants something. */
  after(seconds: number, event: Event, ...commands: Command[]): void {
    this.now += seconds;
    this.ledger.watch(event, this.now, commands);
  }

  join(seconds: number, member: number, changes: Parameters<typeof profileOf>[0] = {}): void {
    this.after(seconds, {
      type: 'joined',
      member,
      profile: profileOf({ name: 'a', price, ...changes }),
    });
  }

  account(name: string): Account {
    const account = this.ledger.state(this.now).accounts.find((one) => one.name === name);
    if (!account) throw new Error(`There is no account of ${name}.`);
    return account;
  }
}

const tick: Event = { type: 'timer' };

function assign(member: number, step: number, probe = false): Command {
  return { type: 'assign', member, step, range: half, probe };
}

function computed(member: number, step: number, seconds: number): Event {
  const pieces = piecesOf(member, step, half);
  return { type: 'computed', member, step, range: half, pieces, finite: true, seconds };
}

function reduce(member: number, step: number): Command {
  return { type: 'reduce', member, range: half, pieces: piecesOf(member, step, half) };
}

function discard(member: number, why: 'late' | 'probe' | 'doubtful' | 'unasked'): Command {
  return { type: 'discard', member, pieces: '', why };
}

const seconds = (account: Account): Record<string, number> => ({
  computed: account.computed / 1e6,
  waited: account.waited / 1e6,
  idled: account.idled / 1e6,
});

test('time counts as idle, computed and waited, each second once', () => {
  const run = new LedgerUnderTest();
  run.join(0, 1);
  run.after(2, tick, assign(1, 0));
  // Of 5 seconds the worker was at work for 3: the rest was its connection's.
  run.after(5, computed(1, 0, 3), reduce(1, 0));
  run.after(1, tick);
  run.after(0, updated, assign(1, 1));
  expect(seconds(run.account('a'))).toEqual({ computed: 3, waited: 3, idled: 2 });
  expect(run.account('a')).toMatchObject({ samples: 32, stays: [[0, 8e6]] });
});

test('a worker without a share of the step that begins is idle', () => {
  const run = new LedgerUnderTest();
  run.join(0, 1);
  run.join(0, 2, { name: 'b' });
  run.after(0, tick, assign(1, 0), assign(2, 0));
  run.after(1, computed(1, 0, 1), reduce(1, 0));
  run.after(1, computed(2, 0, 2), reduce(2, 0));
  run.after(1, updated, assign(1, 1));
  run.after(4, tick);
  expect(seconds(run.account('b'))).toEqual({ computed: 2, waited: 1, idled: 4 });
  expect(seconds(run.account('a'))).toEqual({ computed: 5, waited: 2, idled: 0 });
});

test('an answer may not claim more time than it took', () => {
  const run = new LedgerUnderTest();
  run.join(0, 1);
  run.after(0, tick, assign(1, 0));
  run.after(2, computed(1, 0, 1e9), reduce(1, 0));
  expect(seconds(run.account('a'))).toEqual({ computed: 2, waited: 0, idled: 0 });
});

test('an answer that nobody asked for counts for nothing', () => {
  const run = new LedgerUnderTest();
  run.join(0, 1);
  run.after(2, computed(1, 0, 2), discard(1, 'unasked'));
  expect(run.account('a')).toMatchObject({ computed: 0, duplicated: 0, samples: 0 });
});

test.each([
  ['late', 'duplicated'],
  ['probe', 'duplicated'],
  ['doubtful', 'lost'],
] as const)('the time of an answer that is %s is %s', (why, kind) => {
  const run = new LedgerUnderTest();
  run.join(0, 1);
  run.after(0, tick, assign(1, 0));
  run.after(3, computed(1, 0, 2), discard(1, why));
  run.after(0, tick, discard(1, why));
  expect(run.account('a')).toMatchObject({ computed: 2e6, [kind]: 2e6, samples: 0 });
});

test('what a worker was at when it left is lost; samples count once the step is taken', () => {
  const run = new LedgerUnderTest();
  run.join(0, 1);
  run.join(0, 2, { name: 'b' });
  run.after(0, tick, assign(1, 0), assign(2, 0));
  run.after(1, computed(1, 0, 1), reduce(1, 0));
  run.after(1, left(2));
  expect(run.account('b')).toMatchObject({ computed: 2e6, lost: 2e6, stays: [[0, 2e6]] });
  expect(run.account('a')).toMatchObject({ samples: 0, lost: 0 });
  run.after(1, tick, { type: 'finish', outcome: 'stopped' });
  expect(run.account('a')).toMatchObject({ samples: 0, lost: 1e6, computed: 1e6 });
});

test('local threads take whole steps, and evaluate', () => {
  const run = new LedgerUnderTest({ threads: 2 });
  run.after(1, tick, { type: 'lease', step: 0, steps: 3 });
  run.after(4, { ...leased(3), seconds: 3 } as Event, { type: 'evaluate', epoch: 0 });
  run.after(2, evaluated);
  expect(seconds(run.account('local'))).toEqual({ computed: 5, waited: 1, idled: 1 });
  expect(run.account('local').samples).toBe(3 * 64);
});

test('a coordinator that neither computes nor has a price has no account', () => {
  const run = new LedgerUnderTest();
  expect(run.ledger.state(run.now).accounts).toEqual([]);
  run.join(0, 1);
  run.after(0, tick, assign(1, 0));
  // But it may have to check an answer.
  run.after(1, tick, reduce(LOCAL, 0));
  run.after(0, updated);
  expect(run.account('local')).toMatchObject({ samples: 32, stays: [], price: null });
});

test('one that comes back goes on with its account; two of one name have one each', () => {
  const run = new LedgerUnderTest();
  run.join(0, 1);
  run.after(2, left(1));
  run.join(3, 2);
  run.join(0, 3);
  run.after(1, left(2));
  run.join(0, 4, { price: null });
  const { accounts } = run.ledger.state(run.now);
  expect(accounts.map(({ name, stays }) => [name, stays.length])).toEqual([
    ['a', 2],
    ['a#2', 1],
    ['a#3', 1],
  ]);
  expect(run.account('a').stays).toEqual([
    [0, 2e6],
    [5e6, 6e6],
  ]);
});

test('bytes are those of all stays', () => {
  const run = new LedgerUnderTest();
  const traffic = { sent: 5, received: 1 };
  run.join(0, 1, { traffic });
  traffic.sent = 20;
  expect(run.account('a')).toMatchObject({ sent: 20, received: 1 });
  run.after(1, left(1));
  run.join(1, 2, { traffic: { sent: 3, received: 0 } });
  expect(run.account('a')).toMatchObject({ sent: 23, received: 1 });
});

test('what is spent grows by the second, and what will be spent is known while all stay', () => {
  const run = new LedgerUnderTest();
  run.join(0, 1, { price: { ...price, minimumSeconds: 10 } });
  expect(run.ledger.spent(run.now)).toBe(10_000n);
  expect(run.ledger.spent(run.now + 10.5)).toBe(11_000n);
  expect(run.ledger.spent(run.now, 30)).toBe(30_000n);
  run.after(12, left(1));
  expect(run.ledger.spent(run.now, 30)).toBe(12_000n);
  expect(run.ledger.state(run.now).accounts).toHaveLength(1);
});

test('a resume counts samples once, and what was paid since the checkpoint as lost', () => {
  const run = new LedgerUnderTest();
  run.join(0, 1);
  run.after(0, tick, assign(1, 0));
  run.after(2, computed(1, 0, 2), reduce(1, 0));
  run.after(0, updated, assign(1, 1));
  const checkpoint = run.ledger.state(run.now);
  run.after(3, computed(1, 1, 3), reduce(1, 1));
  run.after(0, updated);
  run.join(0, 2, { name: 'b' });
  const recorded = run.ledger.state(run.now);

  const before = rolledBack(checkpoint, recorded);
  expect(before?.accounts).toMatchObject([
    { name: 'a', computed: 5e6, lost: 3e6, samples: 32 },
    { name: 'b', computed: 0, lost: 0, samples: 0 },
  ]);
  const again = new LedgerUnderTest({ ...(before && { before }) });
  expect(again.ledger.state(again.now)).toMatchObject({
    at: 5e6,
    starts: [{ at: 0 }, { at: 5e6 }],
  });
  expect(again.ledger.spent(again.now)).toBe(5_000n);

  expect(rolledBack(checkpoint, undefined)).toBe(checkpoint);
  expect(rolledBack(recorded, checkpoint)).toBe(recorded);
  expect(rolledBack(undefined, recorded)?.accounts).toMatchObject([
    { samples: 0, lost: 5e6 },
    { samples: 0, lost: 0 },
  ]);
});
