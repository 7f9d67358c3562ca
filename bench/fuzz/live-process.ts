/** Child program: the senders that a live reflector is fuzzed with, in the near namespace. */

import { LiveFeed } from './live-feed.ts';
import { Random } from './random.ts';

export interface LiveRequest {
  seed: number;
  packets: number;
  /** The reflector's. */
  address: string;
}

process.once('message', (message) => {
  const { seed, packets, address } = message as LiveRequest;
  const result = new LiveFeed(new Random(seed), address).run(packets);
  process.send?.(result, () => process.disconnect());
});
