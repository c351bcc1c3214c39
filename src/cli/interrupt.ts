/**
 * Ctrl-C, or SIGTERM: the first asks to stop in order, the second stops at once.
 * @param onFirst what to tell the user
 */
export function interruptible(onFirst: () => void): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130);
    onFirst();
    controller.abort(new Error('The run was interrupted.'));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}

/**
 * SIGUSR1 asks for a checkpoint, once the run is under way.
 * @returns what is to be told how to ask for one
 */
export function checkpointOnSignal(): (checkpoint: () => void) => void {
  let ask = (): void => undefined;
  // Windows has no such signal.
  if (process.platform !== 'win32') {
    process.on('SIGUSR1', () => {
      ask();
    });
  }
  return (checkpoint) => {
    ask = checkpoint;
  };
}
