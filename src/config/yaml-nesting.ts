/** Finds YAML nested deeper than any configuration is, before a recursive parser meets it. */

import { CST, Lexer } from 'yaml';
import { LIMITS } from '../base/limits.ts';

/** The lexer's marks for the start of a document, of a scalar and of an error: they stand for no character. */
const MARKS = new Set([CST.DOCUMENT, CST.SCALAR, CST.FLOW_END]);

/** What a token adds to the nesting: an open bracket until it is closed, an indicator until its line ends. */
const BRACKETS: Record<string, number> = {
  'flow-map-start': 1,
  'flow-seq-start': 1,
  'flow-map-end': -1,
  'flow-seq-end': -1,
};
const INDICATORS = new Set(['seq-item-ind', 'explicit-key-ind', 'map-value-ind']);

/**
 * Offset of the first place nested too deep, or null. A level of block nesting takes a column of indentation or an
 * indicator (`-`, `?`, `:`) on the line, a level of flow nesting an open bracket; the lexer itself does not recurse.
 * The limit is needed: the parser of yaml 2.9 ends the process, out of memory, on 600 KB of `- - - -`.
 */
export function tooDeepAt(text: string): number | null {
  let offset = 0;
  let brackets = 0;
  let columns = 0;
  let lineStarts = true;
  for (const lexeme of new Lexer().lex(text)) {
    const type = CST.tokenType(lexeme) ?? '';
    if (lineStarts) columns = type === 'space' ? lexeme.length : 0;
    brackets = Math.max(0, brackets + (BRACKETS[type] ?? 0));
    if (brackets === 0 && INDICATORS.has(type)) columns++;
    // Only what nests is judged: a comment may stand as far to the right as it likes.
    const nests = brackets > 0 || INDICATORS.has(type);
    if (nests && columns + brackets > LIMITS.configNestingMax) return offset;
    if (MARKS.has(lexeme)) continue;
    offset += lexeme.length;
    lineStarts = lexeme.endsWith('\n');
  }
  return null;
}
