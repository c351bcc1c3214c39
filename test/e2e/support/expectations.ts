import { expect } from 'vitest';
import type { Ended } from './running.js';

/**
 * What every failure looks like: the exit code, no stack trace, and one sentence with the words at
 * the end of standard error, after notices and before a suggestion at most.
 */
export function expectError({ code, stdout, stderr }: Ended, exitCode: 1 | 2, words: RegExp): void {
  const errors = stderr.split('\n').filter((line) => line.startsWith('error: '));
  expect(errors, stderr).toHaveLength(1);
  expect(errors[0]).toMatch(words);
  const lines = stderr
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('(Did you mean'));
  expect(lines.at(-1), 'the error is the last line').toBe(errors[0]);
  expectNoTrace(stdout + stderr);
  expect(code).toBe(exitCode);
}

export function expectNoTrace(text: string): void {
  expect(text).not.toMatch(/^\s+at /m);
}
