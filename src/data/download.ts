import { DtrainError } from '../errors.js';
import { PartFile, readLargestPart, removeIdleParts, removePart } from './part-file.js';
import type { EarlierPart, PartKey } from './part-file.js';
import { describeFailure, transfer, type TransferLimits } from './transfer.js';

/** A file to download, and the limits on it. */
export interface DownloadRequest extends TransferLimits {
  /** The folders, as URLs, that hold the file, in the order to try them. */
  readonly mirrors: readonly string[];
  readonly name: string;
  /** Where the file is to be kept. */
  readonly dir: string;
  /** Returns the content of the file's bytes, or throws if they are not the right ones. */
  readonly check: (bytes: Uint8Array) => Promise<Uint8Array>;
}

export interface Downloaded {
  readonly mirror: string;
  /** What `check` returned. */
  readonly content: Uint8Array;
  /** Why the file could not be kept in `dir`; undefined if it is there. */
  readonly unsaved: unknown;
}

/**
 * Downloads a file from the first mirror that has it, and keeps it in `dir`. What an interrupted
 * download left there is used again if the mirror sends ranges.
 * Throws DATA_MISSING if no mirror serves, and the signal's reason if that is aborted.
 */
export async function download(request: DownloadRequest): Promise<Downloaded> {
  const problems: string[] = [];
  for (const mirror of request.mirrors) {
    try {
      return await fromMirror(request, mirror);
    } catch (error) {
      request.signal?.throwIfAborted();
      problems.push(`${mirror}: ${describeFailure(error)}`);
    }
  }
  const reasons = problems.length > 0 ? problems.join('; ') : 'there is no mirror to ask';
  throw new DtrainError('DATA_MISSING', `${request.name} could not be downloaded: ${reasons}.`);
}

async function fromMirror(request: DownloadRequest, mirror: string): Promise<Downloaded> {
  const url = `${mirror.replace(/\/*$/, '/')}${request.name}`;
  const key = { dir: request.dir, name: request.name, url };
  const earlier = await readLargestPart(key);
  const finished =
    (earlier && (await attempt(request, key, earlier))) ?? (await attempt(request, key));
  if (finished === undefined) throw new Error('it did not send the file');
  return { mirror, ...finished };
}

/**
 * One download. That of the rest of an `earlier` part gives undefined if the mirror does not go
 * on from there, or the whole turns out not to be the file, so that it is worth starting afresh.
 */
async function attempt(
  request: DownloadRequest,
  key: PartKey,
  earlier?: EarlierPart,
): Promise<Omit<Downloaded, 'mirror'> | undefined> {
  const part = await PartFile.create(key);
  const chunks: Uint8Array[] = [];
  const append = async (chunk: Uint8Array) => {
    chunks.push(chunk);
    await part.append(chunk);
  };
  const begin = async () => {
    if (earlier) await append(earlier.bytes);
    // A download that is alive writes more often than that.
    await removeIdleParts(key, request.stallMs);
  };
  try {
    const from = earlier?.bytes.length ?? 0;
    if (!(await transfer(key.url, from, request, { begin, append }))) {
      await part.discard();
      return undefined;
    }
    const content = await request.check(Buffer.concat(chunks));
    return { content, unsaved: await part.publish() };
  } catch (error) {
    if (!(error instanceof DtrainError)) {
      await part.keep();
      throw error;
    }
    // What has arrived is not the file, so nothing is to go on from it.
    await part.discard();
    if (earlier === undefined) throw error;
    await removePart(earlier);
    return undefined;
  }
}
