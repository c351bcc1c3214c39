/** What went wrong, as a stable word; docs/errors.md lists every one. */
export type ErrorCode =
  | 'USAGE'
  | 'DATA_MISSING'
  | 'DATA_DAMAGED'
  | 'MODEL_INVALID'
  | 'MODEL_FILE'
  | 'ENGINE_MISSING'
  | 'CHECKPOINT'
  | 'LEDGER'
  | 'RUN_EXISTS'
  | 'RUN_BUSY'
  | 'WRITE_FAILED'
  | 'PORT_IN_USE'
  | 'HOST_UNKNOWN'
  | 'LISTEN_FAILED'
  | 'COORDINATOR_GONE'
  | 'REFUSED'
  | 'PROTOCOL'
  | 'THREAD_FAILED'
  | 'WORKER_FAILED'
  | 'WEIGHTS_DIFFER'
  | 'NOT_FINITE';

/**
 * An error that a user can cause: one sentence that says what is wrong, where, and what to do.
 * The command line prints `message` alone and ends with `exitCode`: 2 for usage, 1 for the rest.
 */
export class DtrainError extends Error {
  override readonly name = 'DtrainError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): 1 | 2 {
    return this.code === 'USAGE' ? 2 : 1;
  }
}

/** The system's own word for a failed call (`ENOSPC`, `EACCES`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}

/** What an error of any kind says. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const diskReasons: Partial<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'access is denied',
  EPERM: 'access is denied',
  EROFS: 'the file system is read-only',
  EIO: 'the disk has a fault',
  ENOENT: 'the file or its folder is gone',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'a folder of this name is in the way',
  EEXIST: 'a file of this name is in the way',
};

/** Why the disk refused something, as the end of a sentence. */
export function diskReason(error: unknown): string {
  return diskReasons[systemCode(error) ?? ''] ?? reasonOf(error);
}
