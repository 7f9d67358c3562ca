/**
 * Between a pusher and a collector stands a proxy that misbehaves nearly always, over several seeds: nothing is lost. Waits
 * take no time here; the programs, which wait, go through fewer misdeeds in test/e2e/hostile-proxy.test.ts.
 */

import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Rig } from '../collector/harness.ts';
import type { SignedDocument } from '../protocol/summary-fixture.ts';
import { HostileProxy, MISDEEDS } from './hostile-proxy.ts';
import { buildPusher, to } from './push-rig.ts';
import { open, quarantined, temporaryFolder } from './spool-fixture.ts';

const DOCUMENTS = 60;
const REFUSED_BY_THE_PROXY = 'HTTP 413: <html>it is me, your load balancer</html>\n';

/** A collector of its own: what another test has stored there would hide a loss. */
async function startCollector(): Promise<{ rig: Rig; chain: SignedDocument[] }> {
  const rig = await Rig.start();
  onTestFinished(() => rig.end());
  return { rig, chain: await rig.signChain(DOCUMENTS) };
}

describe('a proxy that drops, delays, truncates, duplicates and refuses', () => {
  it.each([1, 2, 3])(
    'loses no document: each is stored as it was signed, or in the quarantine (seed %i)',
    async (seed) => {
      const { rig, chain } = await startCollector();
      const folder = await temporaryFolder();
      const spool = await open(folder);
      for (const [index, { octets, signature }] of chain.entries()) {
        await spool.append({ sequence: index + 1, octets, signature });
      }
      const script = fc.sample(fc.constantFrom(...MISDEEDS), { seed, numRuns: 180 });
      const proxy = new HostileProxy(rig.url, script);
      const { pusher } = buildPusher({ ...to(await proxy.listen()), spool });
      pusher.start();
      await vi.waitFor(() => expect(spool.status().documents).toBe(0), { timeout: 20_000 });
      await pusher.stop();

      const aside = await quarantined(folder);
      expect(new Set(Object.values(aside))).toEqual(new Set([REFUSED_BY_THE_PROXY]));
      const lost: number[] = [];
      for (const [index, { octets }] of chain.entries()) {
        const { text } = await rig.get(`/api/v1/documents/fra/${index + 1}`);
        const isAside = `${String(index + 1).padStart(16, '0')}.jws` in aside;
        if (!isAside && text !== octets.toString()) lost.push(index + 1);
      }
      expect(lost).toEqual([]);
      // What the proxy sent twice, or the pusher again, is there once: all of it was accepted or recognised.
      const { accepted } = rig.counters.snapshot();
      expect(accepted).toBe(rig.dump()['document']?.length);
      expect(rig.counters.snapshot().duplicate).toBeGreaterThan(0);
      const refused = Object.keys(aside).length;
      expect(pusher.status()).toMatchObject({ quarantined: refused, failuresInARow: 0 });
      expect([...proxy.done.keys()].toSorted()).toEqual(MISDEEDS.toSorted());
    },
  );
});
