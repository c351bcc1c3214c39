import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options?: { readonly type: 'minor' }) => void;

/** V8's own collector, which is not to be had otherwise. */
let collect: Collect | undefined;

function collector(): Collect {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  return collect;
}

/**
 * Gives back what nobody uses any more: what V8 would keep until it needs the room. Takes some ten
 * milliseconds.
 */
export function giveMemoryBack(): void {
  collector()();
}

/** Bytes of frames after which their memory is given back. */
const DUE_BYTES = 8 * 1024 * 1024;

/**
 * The memory of frames that are done with. It lies outside V8's heap, so V8 leaves it until there is
 * a lot, and then looks through everything, in the middle of a step. A look at what is new alone
 * takes a tenth of a millisecond, and finds all of it.
 */
export class FrameMemory {
  #before = 0;

  /**
   * Gives the memory back if there is enough of it; to be called while others compute.
   * @param bytes of all frames so far, those sent and those received
   */
  giveBack(bytes: number): void {
    if (bytes - this.#before < DUE_BYTES) return;
    this.#before = bytes;
    collector()({ type: 'minor' });
  }
}
