/** Remembers on disk which documents were given up, until a signed record has said so. */

import type { EventOf } from '../protocol/record.ts';
import { LIMITS } from '../base/limits.ts';
import type { ControlFiles } from './control-files.ts';
import { countOf, covers, type NumberRange, rangesOf, subtract, union } from './number-ranges.ts';
import type { SpoolIndex } from './spool-index.ts';

export const GAPS_FILE = 'gaps.json';

export type Gap = EventOf<'gap'>;
export type GapReason = Gap['reason'];

const REASONS: readonly GapReason[] = ['spool_full', 'too_old', 'damaged', 'refused', 'dropped'];

/** Numbers given up, and why. */
export type Declared = Pick<Gap, 'reason'> & { readonly ranges: readonly NumberRange[] };

/** The numbers given up for each reason; none is under two of them. */
export type Gaps = Readonly<Record<GapReason, readonly NumberRange[]>>;

export const NO_GAPS: Gaps = { spool_full: [], too_old: [], damaged: [], refused: [], dropped: [] };

export class GapMemory {
  readonly #files: ControlFiles;
  #gaps: Gaps;
  #undeclared = 0;
  #isBehind = false;

  /** @param gaps what gaps.json says */
  constructor(files: ControlFiles, gaps: Gaps) {
    this.#files = files;
    this.#gaps = gaps;
  }

  /** Numbers given up since the agent started that found no room here. Nobody declares them: they show as missing. */
  get undeclared(): number {
    return this.#undeclared;
  }

  /** Numbers that wait to be declared. */
  get pending(): number {
    return REASONS.reduce((sum, reason) => sum + countOf(this.#gaps[reason]), 0);
  }

  /** Whether something is remembered that is not on disk. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Whether the number waits to be declared. */
  has(sequence: number): boolean {
    return REASONS.some((reason) => covers(this.#gaps[reason], sequence));
  }

  /**
   * What records have to say, one for each reason. A number that waits for delivery all the same, because the agent was
   * killed between the two steps or the disk did not let its file go, is left out: it is not missing.
   */
  events(waiting: SpoolIndex): Gap[] {
    return REASONS.flatMap((reason) => {
      const ranges = this.#gaps[reason].flatMap((range) => subtract([range], waitingIn(waiting, range)));
      return ranges.length === 0 ? [] : [{ kind: 'gap', reason, ranges: ranges.slice(0, LIMITS.gapRangesMax) }];
    });
  }

  /**
   * Remembers documents before they go. Once this resolves, neither kill -9 nor power loss can make it forget.
   *
   * @throws the file system's own error; nothing is remembered then
   */
  async declare(added: readonly Declared[]): Promise<void> {
    const { gaps, undeclared } = this.#with(added);
    await this.#save(gaps);
    this.#undeclared += undeclared;
  }

  /** Remembers documents that are gone already: on disk with the next `write`. */
  note(added: Declared): void {
    if (added.ranges.length === 0) return;
    const { gaps, undeclared } = this.#with([added]);
    this.#gaps = gaps;
    this.#undeclared += undeclared;
    this.#isBehind = true;
  }

  /** Forgets what a record has said, and nothing that came meanwhile. @throws the file system's own error */
  async sealed(gaps: readonly Gap[]): Promise<void> {
    const next = { ...this.#gaps };
    for (const { reason, ranges } of gaps) next[reason] = subtract(next[reason], ranges);
    await this.#save(next);
  }

  /** Forgets a document that is there after all. @throws the file system's own error */
  async forget(sequence: number): Promise<void> {
    const left = REASONS.map((reason) => [reason, subtract(this.#gaps[reason], [[sequence, sequence]])]);
    await this.#save(Object.fromEntries(left) as Gaps);
  }

  /**
   * Writes down what is remembered: what the disk did not take before, or all of it into a folder that is new.
   *
   * @throws the file system's own error
   */
  async write(): Promise<void> {
    await this.#save(this.#gaps);
  }

  async #save(gaps: Gaps): Promise<void> {
    await this.#files.write(GAPS_FILE, Buffer.from(`${JSON.stringify(gaps)}\n`));
    this.#gaps = gaps;
    this.#isBehind = false;
  }

  /** The gaps with these added, and how many numbers found no room. A number is under one reason, the first. */
  #with(added: readonly Declared[]): { gaps: Gaps; undeclared: number } {
    let gaps = this.#gaps;
    let undeclared = 0;
    for (const { reason, ranges } of added) {
      const known = REASONS.flatMap((each) => gaps[each]);
      const within = withinLimit(gaps[reason], subtract(ranges, known));
      gaps = { ...gaps, [reason]: within.kept };
      undeclared += within.undeclared;
    }
    return { gaps, undeclared };
  }
}

/**
 * Two runs are never made one over what lies between: that was delivered, and would be declared missing. What finds no room
 * is counted instead.
 */
function withinLimit(known: readonly NumberRange[], added: readonly NumberRange[]) {
  let kept = union(known, []);
  let undeclared = 0;
  for (const range of added) {
    const next = union(kept, [range]);
    if (next.length <= LIMITS.gapRangesKeptMax) kept = next;
    else undeclared += countOf([range]);
  }
  return { kept, undeclared };
}

function waitingIn(waiting: SpoolIndex, [first, last]: NumberRange): NumberRange[] {
  const numbers: number[] = [];
  for (const number of waiting.from(first)) {
    if (number > last) break;
    numbers.push(number);
  }
  const { unlisted } = waiting;
  // Who knows: it is declared once that has been read.
  const unknown: NumberRange[] = unlisted === null ? [] : [[unlisted.first, unlisted.last]];
  return union(rangesOf(numbers), unknown);
}

/** Reads gaps.json back, or null when the content is no such file. */
export function decodeGaps(content: Uint8Array): Gaps | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(content).toString());
    return isGaps(value) ? value : null;
  } catch {
    return null;
  }
}

/** Whether a record's event declares a gap. */
export function isGap(event: unknown): event is Gap {
  const { kind, reason, ranges } = (event ?? {}) as Partial<Record<string, unknown>>;
  return kind === 'gap' && REASONS.some((known) => known === reason) && isRanges(ranges);
}

function isGaps(value: unknown): value is Gaps {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== REASONS.length) return false;
  return REASONS.every((reason) => isRanges((value as Partial<Record<string, unknown>>)[reason]));
}

function isRanges(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > LIMITS.gapRangesKeptMax) return false;
  let before = 0;
  return value.every((range: unknown) => {
    if (!Array.isArray(range) || range.length !== 2) return false;
    const [first, last] = range as unknown[];
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return false;
    const isAscending = before < Number(first) && Number(first) <= Number(last);
    before = Number(last);
    return isAscending;
  });
}
