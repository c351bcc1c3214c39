import type { Kernel, Statement } from './types.js';

/** The kernels and all that they call, each once. */
export function calledKernels(exported: readonly Kernel[]): Kernel[] {
  const found = new Set<Kernel>();
  const visit = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if (statement.op === 'loop') visit(statement.body);
      if (statement.op === 'call' && !found.has(statement.kernel)) {
        found.add(statement.kernel);
        visit(statement.kernel.body);
      }
    }
  };
  for (const kernel of exported) {
    found.add(kernel);
    visit(kernel.body);
  }
  return [...found];
}
