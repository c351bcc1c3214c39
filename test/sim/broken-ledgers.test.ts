import { expect, test } from 'vitest';
import { Ledger, type LedgerOptions } from '../../coordinator/ledger.js';
import type { Account } from '../../src/cost/ledger.js';
import type { LedgerLike } from './audited-ledger.js';
import type { Parts } from './life.js';
import { objectionTo } from './objections.js';

/** A ledger that is broken on purpose. */
function broken(
  change: (ledger: Ledger) => Partial<LedgerLike>,
  changed: (options: LedgerOptions) => LedgerOptions = (options) => options,
): Partial<Parts> {
  return {
    makeLedger: (options, now) => {
      const ledger = new Ledger(changed(options), now);
      return {
        watch: (...told) => {
          ledger.watch(...told);
        },
        spent: (...at) => ledger.spent(...at),
        state: (at) => ledger.state(at),
        ...change(ledger),
      };
    },
  };
}

/** A ledger whose accounts say something else than what was. */
function saying(change: (account: Account) => Partial<Account>): Partial<Parts> {
  return broken((ledger) => ({
    state: (now) => {
      const state = ledger.state(now);
      return {
        ...state,
        accounts: state.accounts.map((account) => ({ ...account, ...change(account) })),
      };
    },
  }));
}

const unaccounted = /\d+ microseconds are accounted for, and there were \d+/;
const samples = /\d+ samples are accounted for, and there were \d+/;

test.each<[string, Partial<Parts>, RegExp]>([
  [
    'who does not hear that somebody has left',
    broken((ledger) => ({
      watch: (event, ...rest) => {
        if (event.type !== 'left') ledger.watch(event, ...rest);
      },
    })),
    unaccounted,
  ],
  [
    'that begins anew when the run is resumed',
    broken(
      () => ({}),
      (options) => ({ ...options, before: undefined }),
    ),
    /microseconds are accounted for|samples are accounted for|what was paid is paid no more/,
  ],
  [
    'that counts the samples of an answer which was not used',
    broken((ledger) => ({
      watch: (event, now, commands) => {
        const counted = commands.map((command) =>
          command.type === 'discard' && event.type === 'computed'
            ? ({ ...event, ...command, type: 'reduce' } as const)
            : command,
        );
        ledger.watch(event, now, counted);
      },
    })),
    samples,
  ],
  [
    'that does not hear of the answers which were used',
    broken((ledger) => ({
      watch: (event, now, commands) => {
        ledger.watch(
          event,
          now,
          commands.filter(({ type }) => type !== 'reduce'),
        );
      },
    })),
    samples,
  ],
  ['that leaves idle time out', saying(() => ({ idled: 0 })), /stayed \d+, and was there \d+/],
  [
    'in which more was lost than was computed',
    saying(({ computed }) => ({ lost: computed + 1 })),
    /wasted \d+ of the \d+ that it computed/,
  ],
  ['with an account below nothing', saying(() => ({ waited: -1 })), /something below nothing/],
  [
    'that tells the core of other amounts than it writes down',
    broken((ledger) => ({ spent: (now, more) => ledger.spent(now, more) / 2n })),
    /what was spent is not what it costs/,
  ],
])('a ledger %s is caught', async (_, parts, objection) => {
  expect(await objectionTo(parts, objection)).toMatch(objection);
});
