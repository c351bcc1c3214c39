import {
  type Absence,
  type Comparison,
  LOCAL,
  type MemberId,
  type MemberProfile,
} from './core-messages.js';

/** A remote worker, as the run sees it. */
export interface RemoteMember extends Omit<MemberProfile, 'local'> {
  readonly address: string;
  send(frame: Buffer): void;
  /** It is not waited for any longer. */
  lost(why: Absence): void;
  /** It is waited for again. */
  back(): void;
  /** It has no share of the steps any more, or has one again. */
  standing(spare: boolean, why: Comparison): void;
  /** It is not needed any more. */
  release(why: Comparison): void;
  /** It has answered, to what it was asked or not. */
  answered(asked: boolean): void;
  /** It must go: it said that values are not finite which are. */
  expel(): void;
}

/** The remote workers of a run, by the numbers that they get when they join. */
export class RemoteMembers {
  readonly #members = new Map<MemberId, RemoteMember>();
  readonly #lost = new Set<MemberId>();
  #last = LOCAL;

  /** Those that can be counted on. */
  get present(): number {
    return this.#members.size - this.#lost.size;
  }

  get(id: MemberId): RemoteMember | undefined {
    return this.#members.get(id);
  }

  add(member: RemoteMember): MemberId {
    this.#members.set(++this.#last, member);
    return this.#last;
  }

  /** @returns false if it was not there */
  remove(id: MemberId): boolean {
    this.#lost.delete(id);
    return this.#members.delete(id);
  }

  lose(id: MemberId, why: Absence): void {
    this.#lost.add(id);
    this.#members.get(id)?.lost(why);
  }

  takeBack(id: MemberId): void {
    this.#lost.delete(id);
    this.#members.get(id)?.back();
  }
}
