/** How deep and how wide a JSON text is, told from its octets before a parser builds anything of it. */

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
/** Square and curly brackets differ in this bit alone. */
const CURLY = 0x20;
const OPENING = 0x5b;
const CLOSING = 0x5d;

export interface JsonExtent {
  /** Levels of arrays and objects, the outermost one counted. */
  levels: number;
  /** Members of one array or object. */
  members: number;
}

/**
 * Which of the two goes beyond `max`, and null when neither does; it looks no further than that. Of text that is no JSON
 * it says something that means nothing: the parser refuses that.
 */
export function excessOf(octets: Uint8Array, max: JsonExtent): keyof JsonExtent | null {
  /** Commas seen of each array or object that is open. */
  const commas = new Uint32Array(max.levels);
  let level = 0;
  for (let at = 0; at < octets.length; at += 1) {
    const octet = octets[at] ?? 0;
    if (octet === QUOTE) at = endOfString(octets, at + 1);
    else if (octet === COMMA) {
      if (isFull(commas, level, max.members)) return 'members';
    } else if ((octet & ~CURLY) === OPENING) {
      if (level === max.levels) return 'levels';
      commas[level++] = 0;
    } else if ((octet & ~CURLY) === CLOSING) level = Math.max(0, level - 1);
  }
  return null;
}

/** Counts a comma of the innermost container; whether there are as many as it may have members. */
function isFull(commas: Uint32Array, level: number, membersMax: number): boolean {
  const count = (commas[level - 1] ?? 0) + 1;
  commas[level - 1] = count;
  return count >= membersMax;
}

/** Where the quote is that ends the string which begins before `from`, or the end of the text. */
export function endOfString(octets: Uint8Array, from: number): number {
  let at = from;
  while (at < octets.length && octets[at] !== QUOTE) at += octets[at] === BACKSLASH ? 2 : 1;
  return at;
}
