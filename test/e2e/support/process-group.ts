import { execFileSync } from 'node:child_process';

export interface GroupMember {
  readonly pid: number;
  readonly command: string;
}

/** The processes of a group that still run, whoever started them. */
export function processGroup(group: number): GroupMember[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,stat=,args='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const [, pid, of, state = '', command = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    // One that is over and that nobody has asked about yet is no process any more.
    const runs = Number(of) === group && !state.startsWith('Z');
    return runs ? [{ pid: Number(pid), command }] : [];
  });
}
