import { DtrainError, systemCode } from '../errors.js';

/** What a server is held to. */
export interface TransferLimits {
  /** Most bytes that the whole file may have. */
  readonly maxBytes: number;
  /** Longest time without a byte, in milliseconds. */
  readonly stallMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What takes the bytes. */
export interface TransferSink {
  /** The server sends what was asked for. */
  begin(): Promise<void>;
  append(chunk: Uint8Array): Promise<void>;
}

/**
 * Gets the bytes of `url` from the offset `from` on into `sink`. Returns false, and leaves `sink`
 * alone, if `from` is not 0 and the server does not send ranges (or its file ends before that).
 * Throws DATA_DAMAGED if the server sends too much; an error that `describeFailure` understands if
 * it cannot be reached, answers with an error, stalls or breaks off; and the signal's reason if
 * that is aborted.
 */
export async function transfer(
  url: string,
  from: number,
  limits: TransferLimits,
  sink: TransferSink,
): Promise<boolean> {
  const { maxBytes, stallMs, signal } = limits;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const stop = () => {
    controller.abort(signal?.reason);
  };
  signal?.addEventListener('abort', stop);
  const stall = setTimeout(() => {
    controller.abort(new Error(`it sent nothing for ${stallMs / 1000} s`));
  }, stallMs);
  try {
    // Offsets count the bytes as stored, so nothing may pack or unpack them on the way.
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (from > 0) headers.range = `bytes=${from}-`;
    const response = await fetch(url, { headers, signal: controller.signal });
    if (from > 0 && !startsAt(response, from)) return false;
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    checkSize(from + Number(response.headers.get('content-length')), maxBytes);
    await sink.begin();
    let size = from;
    const body: AsyncIterable<Uint8Array> | null = response.body;
    for await (const chunk of body ?? []) {
      size += chunk.length;
      checkSize(size, maxBytes);
      await sink.append(chunk);
      stall.refresh();
    }
    return true;
  } finally {
    clearTimeout(stall);
    signal?.removeEventListener('abort', stop);
    // Ends what is still being sent.
    controller.abort();
  }
}

function checkSize(size: number, maxBytes: number) {
  if (size > maxBytes) {
    throw new DtrainError('DATA_DAMAGED', `it sends more than the ${maxBytes} bytes allowed.`);
  }
}

function startsAt(response: Response, from: number): boolean {
  const range = response.headers.get('content-range') ?? '';
  return response.status === 206 && range.startsWith(`bytes ${from}-`);
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name cannot be resolved',
  EAI_AGAIN: 'its name cannot be resolved',
  ECONNREFUSED: 'it refuses connections',
};

/** Why a transfer failed, as the part of a sentence whose subject is the server. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says no more than 'fetch failed' or 'terminated': the reason is in its cause.
  if (error.cause instanceof Error) {
    const code = systemCode(error.cause);
    const reason = UNREACHABLE[code ?? ''];
    if (reason !== undefined) return `${reason} (${code ?? ''})`;
    if (error instanceof TypeError) return error.cause.message || (code ?? error.message);
  }
  return error.message.replace(/\.$/, '');
}
