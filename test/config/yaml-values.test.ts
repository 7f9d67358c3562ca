/** The values of a YAML file, and what faults of structure leave of them. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { LIMITS } from '../../src/base/limits.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { parseYaml } from '../../src/config/yaml-parse.ts';
import { UNKNOWN } from '../../src/config/yaml-values.ts';

/** The value, and each problem by its place and what was found. */
function read(text: string): { value: unknown; problems: string[] } {
  const { source, problems } = parseYaml('f', Buffer.from(text));
  return { value: source?.value, problems: problems.map(({ line, column, found }) => `${line}:${column} ${found}`) };
}

describe('the values of a file', () => {
  it('are those that the package itself gives, where it finds no fault', () => {
    const scalar = fc.oneof(
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom('a', '12', '*x', '__proto__'),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('tree'), { maxLength: 4 }), tie('mapping')),
      mapping: fc.dictionary(fc.constantFrom('a', 'b', '__proto__', '1'), tie('tree'), { noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const text = JSON.stringify(value);
        expect(read(text)).toEqual({ value: parseDocument(text).toJS(), problems: [] });
      }),
    );
  });

  it('have the value of the nearest anchor above an alias', () => {
    expect(read('a: &x 1\nb: *x\nc: &x 2\nd: *x\ne: &x [&x 3, *x]\nf: *x')).toEqual({
      value: { a: 1, b: 1, c: 2, d: 2, e: [3, 3], f: 3 },
      problems: [],
    });
  });

  it('have the first of two keys; what stands under the second still defines anchors and has faults of its own', () => {
    expect(read('a: 1\na: &x { b: *none }\nc: *x\n')).toEqual({
      value: { a: 1, c: { b: UNKNOWN } },
      problems: ['2:1 "a" a second time, first in line 1', '2:12 an alias of "none", which no anchor above it defines'],
    });
  });

  it.each([
    ['a: *a', '1:4 an alias of "a", which no anchor above it defines'],
    ['a: &a [*a]', '1:8 an alias of "a", inside the very value it stands for'],
    ['a: !x 1', '1:7 "!x"'],
    ['a: !!set {b}', '1:10 "tag:yaml.org,2002:set"'],
    ['a: !!omap [b: 1]', '1:11 "tag:yaml.org,2002:omap"'],
  ])('are unknown where nobody can say what they are: %s', (text, problem) => {
    expect(read(text).problems).toEqual([problem]);
  });

  it('are unknown beyond the last alias that is followed, which is reported once', () => {
    const aliases = (count: number): string => `a: &a 1\nb: [${Array.from({ length: count }, () => '*a').join(', ')}]`;
    expect(read(aliases(LIMITS.configAliasesMax)).problems).toEqual([]);
    const { value, problems } = read(aliases(LIMITS.configAliasesMax + 2));
    expect(value).toEqual({ a: 1, b: [...Array.from({ length: LIMITS.configAliasesMax }, () => 1), UNKNOWN, UNKNOWN] });
    expect(problems).toEqual(['2:405 more']);
  });

  it('count an alias with all the aliases in what it stands for', () => {
    const rows = Array.from({ length: 6 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`);
    // 2, 6, 14, 30, 62 and 126 expansions
    expect(read(`a0: &a0 1\n${rows.slice(0, 3).join('\n')}`).problems).toEqual([]);
    expect(read(`a0: &a0 1\n${rows.join('\n')}`).problems).toEqual(['6:15 more']);
  });
});

describe('a file that is not YAML', () => {
  it('has its mistakes of syntax reported alone, and the last of them says so', () => {
    const { source, problems } = parseYaml('f', Buffer.from('a: 1\na: 2\nb: "\\q"\nc: "\\q"\n'));
    expect(source).toBeNull();
    expect(problems.map(formatProblem)).toEqual([
      'f:3:5: top level: expected YAML 1.2; found a mistake: Invalid escape sequence \\q; correct it here [config_syntax]',
      'f:4:5: top level: expected YAML 1.2; found a mistake: Invalid escape sequence \\q; correct it here; what else is wrong shows once the file is YAML [config_syntax]',
    ]);
  });

  it('has very many of them counted', () => {
    const { problems } = parseYaml('f', Buffer.from(']'.repeat(300)));
    expect(problems).toHaveLength(LIMITS.configProblemsMax);
    expect(problems.at(-1)?.remedy).toMatch(
      /; \d+ more such mistakes, and what else is wrong, show once the file is YAML$/,
    );
  });
});
