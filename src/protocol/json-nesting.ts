/** How deeply a JSON text is nested, told from its octets before a parser builds anything of it. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * Levels of arrays and objects, the outermost one counted; it looks no further once it has found more than `enough`. Of
 * text that is no JSON it gives a number that means nothing: the parser refuses that.
 */
export function nestingOf(octets: Uint8Array, enough: number): number {
  let level = 0;
  let deepest = 0;
  for (let at = 0; at < octets.length && deepest <= enough; at += 1) {
    const octet = octets[at] ?? 0;
    if (octet === QUOTE) at = endOfString(octets, at + 1);
    else if (OPENING.has(octet)) deepest = Math.max(deepest, ++level);
    else if (CLOSING.has(octet)) level -= 1;
  }
  return deepest;
}

/** Where the quote is that ends the string, or the end of the text. */
function endOfString(octets: Uint8Array, from: number): number {
  let at = from;
  while (at < octets.length && octets[at] !== QUOTE) at += octets[at] === BACKSLASH ? 2 : 1;
  return at;
}
