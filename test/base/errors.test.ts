/** The list of error codes and its documentation say the same. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, PopprobeError } from '../../src/base/errors.ts';

const sections = readFileSync('docs/errors.md', 'utf8').split(/^### /m).slice(1);
const documented = sections.map((section) => section.split('\n', 1)[0] ?? '');

describe('docs/errors.md', () => {
  it('has a section for every code, and none for anything else', () => {
    expect(documented.toSorted()).toEqual([...ERROR_CODES].toSorted());
  });

  it('says something about each', () => {
    const silent = sections.filter((section) => (section.split(/\n#/, 1)[0] ?? '').split('\n').join(' ').length < 60);
    expect(silent).toEqual([]);
  });
});

describe('PopprobeError', () => {
  it('says in its message what was expected, what was found and what to do, and keeps the cause', () => {
    const cause = new Error('ENOENT');
    const error = new PopprobeError('key_unreadable', { expected: 'a key', found: 'none', remedy: 'make one', cause });
    expect(error.message).toBe('expected a key; found none; make one');
    expect(error.cause).toBe(cause);
  });
});
