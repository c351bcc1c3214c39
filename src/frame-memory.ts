import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of frames after which their memory is given back. */
const DUE_BYTES = 8 * 1024 * 1024;

/**
 * The memory of frames that are done with. It lies outside V8's heap, so V8 leaves it until there is
 * a lot, and then looks through everything, in the middle of a step. A look at what is new alone
 * takes a tenth of a millisecond, and finds all of it.
 */
export class FrameMemory {
  #before = 0;
  #collect: ((options: { readonly type: 'minor' }) => void) | undefined;

  /**
   * Gives the memory back if there is enough of it; to be called while others compute.
   * @param bytes of all frames so far, those sent and those received
   */
  giveBack(bytes: number): void {
    if (bytes - this.#before < DUE_BYTES) return;
    this.#before = bytes;
    this.#collect ??= collector();
    this.#collect({ type: 'minor' });
  }
}

function collector(): (options: { readonly type: 'minor' }) => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as ReturnType<typeof collector>;
}
