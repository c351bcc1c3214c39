import type { MemberProfile } from '../../coordinator/core-messages.js';

/** A member of one thread that nobody knows the price of. */
export function profileOf(changes: Partial<MemberProfile> = {}): MemberProfile {
  return {
    name: 'member',
    threads: 1,
    local: false,
    price: null,
    traffic: { sent: 0, received: 0 },
    ...changes,
  };
}
