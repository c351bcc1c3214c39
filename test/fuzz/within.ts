/** Longest wait for what another process does at once, unless it hangs. */
const PATIENCE_MS = 25_000;

/** The promise's value, or an error that says what was waited for in vain. */
export async function within<T>(promise: Promise<T>, what: string, ms = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`in ${ms / 1000} s there was not: ${what}`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
