import { systemCode } from './errors.js';

/** Whether no process of this machine has the number `pid`. */
export function processIsGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Another user's process refuses the question, and is there.
    return systemCode(error) === 'ESRCH';
  }
}
