import { spawnSync } from 'node:child_process';

/** The interpreter; the environment variable PYTHON may name another. */
const python = process.env.PYTHON ?? 'python3';

/** Runs a program; returns its standard output, or throws with what it wrote to standard error. */
export function runPython(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(python, ['-c', program, ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${python} ended with ${status ?? 'no status'}: ${stderr}`);
  return stdout;
}

/** Whether all of these packages can be imported. */
export function hasPythonPackages(...packages: readonly string[]): boolean {
  return spawnSync(python, ['-c', `import ${packages.join(', ')}`]).status === 0;
}
