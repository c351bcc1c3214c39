/** One row of the screen; `wrapped` if the line goes on in the next one. */
interface Row {
  text: string[];
  wrapped: boolean;
}

/**
 * A small terminal: what a person would see, scroll-back included, after the bytes of a program. It
 * knows the sequences that dtrain uses and throws at any other.
 */
export class Terminal {
  readonly #columns: number;
  readonly #height: number;
  readonly #rows: Row[] = [{ text: [], wrapped: false }];
  #row = 0;
  #column = 0;
  #rest = '';
  cursorVisible = true;

  constructor(columns: number, height: number) {
    this.#columns = columns;
    this.#height = height;
  }

  /** Lines as they were printed: what the width broke is one line again. */
  get lines(): string[] {
    const lines: string[] = [];
    let line = '';
    for (const { text, wrapped } of this.#rows) {
      line += text.join('');
      if (wrapped) continue;
      lines.push(line.trimEnd());
      line = '';
    }
    return lines;
  }

  write(text: string): void {
    let rest = this.#rest + text;
    while (rest !== '') {
      // eslint-disable-next-line no-control-regex -- terminals are told what to do with those
      const sequence = /^\x1b(?:\[([?]?)([\d;]*)([A-Za-z])|[78])/.exec(rest);
      if (sequence) {
        this.#control(sequence[1] ?? '', sequence[2] ?? '', sequence[3] ?? '');
        rest = rest.slice(sequence[0].length);
      } else if (rest.startsWith('\x1b')) {
        if (rest.length > 20)
          throw new Error(`unknown sequence ${JSON.stringify(rest.slice(0, 20))}`);
        break;
      } else {
        this.#character(rest.charAt(0));
        rest = rest.slice(1);
      }
    }
    this.#rest = rest;
  }

  #character(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#down();
    else if (character === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (character >= ' ') {
      if (this.#column === this.#columns) {
        this.#at(this.#row).wrapped = true;
        this.#column = 0;
        this.#down();
      }
      const { text } = this.#at(this.#row);
      while (text.length < this.#column) text.push(' ');
      text[this.#column++] = character;
    } else throw new Error(`unknown character ${JSON.stringify(character)}`);
  }

  #control(mark: string, parameters: string, what: string): void {
    const count = Math.max(1, Number(parameters.split(';')[0]));
    if (mark === '?' && (what === 'h' || what === 'l')) {
      if (parameters === '25') this.cursorVisible = what === 'h';
      return;
    }
    switch (what) {
      case 'A':
        this.#row = Math.max(this.#top, this.#row - count);
        return;
      case 'B':
        this.#row = Math.min(this.#top + this.#height - 1, this.#row + count);
        return;
      case 'C':
        this.#column = Math.min(this.#columns - 1, this.#column + count);
        return;
      case 'D':
        this.#column = Math.max(0, this.#column - count);
        return;
      case 'E':
        this.#column = 0;
        this.#row = Math.min(this.#top + this.#height - 1, this.#row + count);
        return;
      case 'F':
        this.#column = 0;
        this.#row = Math.max(this.#top, this.#row - count);
        return;
      case 'G':
        this.#column = count - 1;
        return;
      case 'K':
        this.#eraseLine(Number(parameters));
        return;
      case 'J':
        if (parameters !== '' && parameters !== '0') throw new Error('the screen is erased');
        this.#eraseLine(0);
        this.#rows.length = Math.min(this.#rows.length, this.#row + 1);
        return;
      case 'm':
        return;
      default:
        throw new Error(`unknown sequence ${mark}${parameters}${what}`);
    }
  }

  get #top(): number {
    return Math.max(0, this.#rows.length - this.#height);
  }

  #eraseLine(which: number): void {
    const row = this.#at(this.#row);
    if (which === 2) row.text = [];
    else if (which === 1) row.text.fill(' ', 0, this.#column + 1);
    else row.text.length = Math.min(row.text.length, this.#column);
    if (which !== 1) row.wrapped = false;
  }

  #down(): void {
    this.#row += 1;
    this.#at(this.#row);
  }

  #at(index: number): Row {
    while (this.#rows.length <= index) this.#rows.push({ text: [], wrapped: false });
    return this.#rows[index] ?? { text: [], wrapped: false };
  }
}
