/** Shows what stands in a file: short, on one line, without control characters and without secrets. */

const SHOWN_MAX = 100;
const LISTED_MAX = 8;

/** The steps from the top of a file to a value: keys and list indexes. */
export type Path = readonly (string | number)[];

/** A value as an error message shows it. */
export function quote(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return quoteText(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return 'a mapping';
}

/** A path as an error message shows it: `pops[1].id`. */
export function dotted(path: Path): string {
  if (path.length === 0) return 'top level';
  return path.map((step, depth) => (typeof step === 'number' ? `[${step}]` : dottedKey(step, depth))).join('');
}

function dottedKey(key: string, depth: number): string {
  const shown = /^[\w-]{1,100}$/.test(key) ? key : quoteText(key);
  return depth === 0 ? shown : `.${shown}`;
}

function quoteText(text: string): string {
  const safe = clean(text);
  return safe === PRIVATE ? safe : printable(JSON.stringify(safe));
}

/** The first of many items, and how many more there are. */
export function listed(items: readonly string[]): string {
  const more = items.length - LISTED_MAX;
  return items.slice(0, LISTED_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Somebody else's message about the file, made fit to be shown: it may quote from the file. */
export function cleanMessage(text: string): string {
  return printable(clean(text));
}

const PRIVATE = 'a private key';

function clean(text: string): string {
  if (text.includes('PRIVATE KEY')) return PRIVATE;
  // Credentials in a URL end at the last @; whatever stands before it is not for a terminal or a log.
  const safe = text.replace(/\/\/.*@/s, '//...@');
  return safe.length > SHOWN_MAX ? `${safe.slice(0, SHOWN_MAX)}...` : safe;
}

/** Text that a terminal shows and does not obey. JSON leaves DEL, the C1 controls and the bidirectional marks as they are. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);
}
