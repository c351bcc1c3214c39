/** What a run was put through, by name; how often. */
export const faults = [
  'killed while it computed',
  'killed while it was idle',
  'came back as a new member',
  'killed before its answer got through',
  'answer after its sender had left',
  'answer repeated in its step',
  'answer repeated in a later step',
  'answer to another question',
  'joined in the middle of a step',
  'joined during a lease',
  'everybody gone in the middle of a step',
  'stopped',
  'stopped and deserted',
  'not finite',
] as const;
export type Fault = (typeof faults)[number];
