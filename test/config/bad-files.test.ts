/** One bad file per rule in test/config/bad, with every word that popprobe says about it beside it. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problemsOf } from './problems-of.ts';

const FOLDER = 'test/config/bad';
const names = readdirSync(FOLDER).flatMap((file) => (file.endsWith('.yaml') ? [file.slice(0, -'.yaml'.length)] : []));

describe('a bad configuration file', () => {
  it.each(names)('%s gets exactly the expected messages', (name) => {
    const expected = readFileSync(`${FOLDER}/${name}.txt`, 'utf8');
    expect(
      problemsOf(`${FOLDER}/${name}.yaml`)
        .map((line) => `${line}\n`)
        .join(''),
    ).toBe(expected);
  });
});
