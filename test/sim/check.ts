export function check(holds: boolean, objection: string): asserts holds {
  if (!holds) throw new Error(objection);
}
