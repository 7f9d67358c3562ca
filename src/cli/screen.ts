/** Shows a block of lines that changes: redrawn in place on a terminal, printed anew where output is a file or pipe. */

export class Screen {
  readonly #out: NodeJS.WriteStream;
  #drawn = 0;
  #last = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Whether lines are redrawn in place. */
  get isLive(): boolean {
    return this.#out.isTTY;
  }

  /** Rows and columns of the terminal; a file or pipe has room for everything. */
  get size(): { rows: number; columns: number } {
    const { rows, columns } = this.#out;
    const isKnown = this.isLive && rows > 0 && columns > 0;
    return isKnown ? { rows, columns } : { rows: Number.POSITIVE_INFINITY, columns: Number.POSITIVE_INFINITY };
  }

  /** Shows these lines instead of the ones shown before. What has not changed is not written again. */
  show(lines: readonly string[]): void {
    const text = `${lines.join('\n')}\n`;
    if (text === this.#last) return;
    this.#last = text;
    if (this.isLive && this.#drawn > 0) this.#out.write(`\u001B[${this.#drawn}A\u001B[0J`);
    this.#out.write(text);
    this.#drawn = lines.reduce((rows, line) => rows + this.#rowsOf(line), 0);
  }

  /** Takes what was shown away again, where it can be. */
  clear(): void {
    if (this.isLive && this.#drawn > 0) this.#out.write(`\u001B[${this.#drawn}A\u001B[0J`);
    this.#drawn = 0;
    this.#last = '';
  }

  #rowsOf(line: string): number {
    return Math.max(1, Math.ceil(line.length / (this.#out.columns || Number.POSITIVE_INFINITY)));
  }
}
