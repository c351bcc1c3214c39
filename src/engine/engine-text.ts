/** `engine native (gcc 12.2.0, 16 lanes)` */
export function engineText(name: string, note: string | undefined): string {
  return note === undefined ? `engine ${name}` : `engine ${name} (${note})`;
}
