/** The one line in which an agent says how it is doing. */

import { expect, it } from 'vitest';
import { type Condition, conditionLine } from '../../src/agent/condition.ts';

const WELL: Condition = {
  paths: 56,
  spool: { documents: 0, degraded: null },
  sealing: { summaries: { waiting: 0, discarded: 0 }, records: { sealed: 3, waiting: 0, discarded: 0 } },
  push: { failuresInARow: 0, lastError: 'an old one', quarantined: 0 },
  reload: { isRefused: false },
};

it('says that all is well in few words', () => {
  expect(conditionLine(WELL)).toBe('probing 56 paths');
});

it('says what is wrong, the worst first and the reasons last', () => {
  const line = conditionLine({
    ...WELL,
    spool: { documents: 12, degraded: { reason: 'ENOSPC', sinceMs: 0 } },
    sealing: { summaries: { waiting: 2, discarded: 0 }, records: { sealed: 3, waiting: 1, discarded: 0 } },
    push: { failuresInARow: 4, lastError: 'connection refused', quarantined: 1 },
  });
  expect(line).toBe(
    "DEGRADED: the spool's disk refuses, 3 documents wait in memory; cannot deliver now, 12 documents wait; " +
      '1 documents were refused for good ("popprobe spool list"); probing 56 paths; ENOSPC; connection refused',
  );
});

it('says that the files hold a configuration that was refused', () => {
  expect(conditionLine({ ...WELL, reload: { isRefused: true } })).toBe(
    'the new configuration was refused ("popprobe status" says why); probing 56 paths',
  );
});
