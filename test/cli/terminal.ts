/** A terminal that shows what a program writes: rows that wrap, and the two control sequences that the screen uses. */

import { PassThrough } from 'node:stream';

/** CSI n A: up n rows; CSI 0 J: erase from the cursor to the end. */
const ESCAPE = '\u001B';
const TOKEN = new RegExp(`${ESCAPE}\\[(\\d+)A|${ESCAPE}\\[0J|\n|[^\n${ESCAPE}]+`, 'gu');

export class Terminal {
  readonly out: NodeJS.WriteStream;
  /** Everything written, control sequences included. */
  written = '';
  readonly #columns: number;
  readonly #rows: string[] = [''];
  #row = 0;

  constructor(columns: number) {
    this.#columns = columns;
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns });
    stream.on('data', (data: Buffer) => this.#show(String(data)));
    this.out = stream as unknown as NodeJS.WriteStream;
  }

  /** What a person sees, without the row of the cursor. */
  get rows(): string[] {
    return this.#rows.slice(0, -1);
  }

  #show(text: string): void {
    this.written += text;
    for (const [token, up] of text.matchAll(TOKEN)) {
      if (up !== undefined) this.#row = Math.max(0, this.#row - Number(up));
      else if (token === '\n') this.#rows[++this.#row] ??= '';
      else if (token.startsWith(ESCAPE)) this.#rows.splice(this.#row, Number.POSITIVE_INFINITY, '');
      else this.#print(token);
    }
  }

  /** As xterm does: the line wraps when the next character does not fit, not when the last column is filled. */
  #print(line: string): void {
    for (const character of line) {
      if ((this.#rows[this.#row]?.length ?? 0) === this.#columns) this.#rows[++this.#row] ??= '';
      this.#rows[this.#row] = `${this.#rows[this.#row] ?? ''}${character}`;
    }
  }
}
