import { spawnSync } from 'node:child_process';
import type { Place, StartOptions } from './place.js';
import type { Running } from './running.js';

/** Runs a command on a new terminal and copies what it prints; SIGUSR1 types Ctrl-C. */
const SCRIPT = `
import fcntl, os, pty, signal, struct, subprocess, sys, termios
columns, rows = int(sys.argv[1]), int(sys.argv[2])
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
def own():
    os.setsid()
    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
child = subprocess.Popen(sys.argv[3:], stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=own)
os.close(theirs)
signal.signal(signal.SIGUSR1, lambda *_: os.write(ours, b'\\x03'))
while True:
    try:
        data = os.read(ours, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
sys.exit(child.wait())
`;

export const canOpenPty = spawnSync('python3', ['-c', 'import pty, termios']).status === 0;

export function withPty(title: string): string {
  return canOpenPty ? title : `${title} (skipped: python3 with its module pty is not there)`;
}

/** Starts `dtrain` on a terminal of this size; its standard output is what the terminal gets. */
export function startOnTerminal(
  place: Place,
  [columns, rows]: readonly [number, number],
  command: readonly string[],
  options: StartOptions = {},
): Running {
  const args = ['-c', SCRIPT, String(columns), String(rows), ...command];
  const env = { TERM: 'xterm-256color', ...options.env };
  return place.spawn('python3', args, { ...options, env });
}
