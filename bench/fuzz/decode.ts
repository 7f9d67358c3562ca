/** Gives packets to every decoder and collects what must not happen. */

import { decoders } from './decoders.ts';
import { PacketSource } from './packet-source.ts';
import type { Random } from './random.ts';
import { echoTemplates, reflectorTemplates, senderTemplates } from './templates.ts';
import { Violations } from './violations.ts';

/** Longer than any packet of ours, so that nobody may rely on a buffer's size. */
const BYTES_MAX = 2048;

export interface DecodeResult {
  /** How many packets each decoder took for good, by its name: zeros would mean that nothing was tested. */
  accepted: Record<string, number>;
  violations: Violations;
}

/**
 * Decodes `packets` packets with every decoder. A packet ends where its buffer ends, so that a decoder which reads beyond
 * it throws.
 */
export function fuzzDecoders(random: Random, packets: number): DecodeResult {
  const source = new PacketSource(
    random,
    [...senderTemplates(1), ...reflectorTemplates(), ...echoTemplates()],
    BYTES_MAX,
  );
  const all = decoders().map((decoder) => ({ ...decoder, accepted: 0 }));
  const buffer = new Uint8Array(BYTES_MAX);
  const view = new DataView(buffer.buffer);
  const violations = new Violations();
  for (let packet = 0; packet < packets; packet += 1) {
    const length = source.next();
    const offset = BYTES_MAX - length;
    buffer.set(source.octets.subarray(0, length), offset);
    for (const decoder of all) {
      try {
        const answer = decoder.decode(view, offset, length);
        if (answer === 'ok') decoder.accepted += 1;
        if (!decoder.permits(answer, view, offset, length)) {
          violations.add(`${decoder.name} said ${answer}`, buffer.subarray(offset));
        }
      } catch (error) {
        violations.add(`${decoder.name} threw ${String(error)}`, buffer.subarray(offset));
      }
    }
  }
  return { accepted: Object.fromEntries(all.map(({ name, accepted }) => [name, accepted])), violations };
}
