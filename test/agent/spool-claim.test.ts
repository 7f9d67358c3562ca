/** A spool folder belongs to one agent at a time. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { claimSpool } from '../../src/agent/spool-claim.ts';
import { temporaryFolder } from './spool-fixture.ts';

it('is refused to a second one, and no other folder is', async () => {
  const folder = await temporaryFolder();
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  for (const directory of [one, other]) mkdirSync(directory);
  const log = pino({ level: 'silent' });
  claimSpool(one, log);
  expect(() => claimSpool(one, log)).toThrow(expect.objectContaining({ code: 'spool_in_use' }) as Error);
  claimSpool(other, log);
});
