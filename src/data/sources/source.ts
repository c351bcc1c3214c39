import { DtrainError } from '../../errors.js';
import type { InputType } from '../../model/layers.js';

/** What a sample is, as its source says it: a class number or a name. */
export type Label = number | string;

/** Some samples, in the order of their source. */
export interface Block {
  /** [sample][row][column][channel] */
  readonly values: Uint8Array | Float32Array;
  readonly labels: readonly Label[];
  /** Where a sample of the block stands, as the beginning of a sentence. */
  readonly place: (index: number) => string;
}

/** Reads a split from its beginning, block by block. */
export type SplitReader = (bad: BadSamples) => AsyncIterable<Block>;

/** Labelled samples in files, of one shape. */
export interface Source {
  readonly name: string;
  /** For people: 'the CSV file /x/y.csv'. */
  readonly origin: string;
  /** Rows, columns, channels; the features of a table are channels of one cell. */
  readonly shape: readonly [number, number, number];
  readonly inputType: InputType;
  readonly train: SplitReader;
  /** Absent if the source does not say what to test on. */
  readonly test?: SplitReader;
}

/** What is wrong with samples: the first one's error, or a count if they are to be skipped. */
export class BadSamples {
  readonly #skip: boolean;
  #count = 0;
  #first: string | undefined;

  constructor(skip: boolean) {
    this.#skip = skip;
  }

  get count(): number {
    return this.#count;
  }

  /** What is wrong with the first one, as a sentence. */
  get first(): string | undefined {
    return this.#first;
  }

  /** @throws DtrainError DATA_DAMAGED, unless bad samples are to be skipped */
  found(place: string, what: string, samples = 1): void {
    this.#report(`${place} ${what}`, samples, undefined);
  }

  /** Likewise, where an error says what is wrong. */
  failed(error: DtrainError): void {
    this.#report(error.message.replace(/\.$/, ''), 1, error);
  }

  #report(problem: string, samples: number, cause: unknown): void {
    if (!this.#skip) {
      throw new DtrainError(
        'DATA_DAMAGED',
        `${problem}; correct it, or add --skip-bad to leave such samples out.`,
        { cause },
      );
    }
    this.#count += samples;
    this.#first ??= `${problem}.`;
  }
}

/** DATA_DAMAGED about a file as a whole: "`file` `what`." */
export function damagedFile(file: string, what: string, cause?: unknown): DtrainError {
  return new DtrainError('DATA_DAMAGED', `${file} ${what}.`, { cause });
}
