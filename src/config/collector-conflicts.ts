/** What an agent.yaml says of its collector that is right alone and wrong together. */

import { COLLECTOR_URL, collectorSchema } from './agent-schema.ts';
import { duplicates } from './duplicates.ts';
import type { ConfigProblem } from './problem.ts';
import { mayBeMisspelt } from './sound-part.ts';
import { itemsAt, mappingAt, problemAt, type YamlSource } from './yaml-source.ts';

export function collectorConflicts(agent: YamlSource): ConfigProblem[] {
  const collector = mappingAt(agent, ['collector']);
  if (collector === null) return [];
  return [...notOneKey(agent, collector), ...repeatedUrls(agent), ...certificatesWithoutTls(agent, collector)];
}

/** `url` and `urls` say the same thing, so that one of them must be there and the other must not. */
function notOneKey(agent: YamlSource, collector: Record<string, unknown>): ConfigProblem[] {
  const has = (key: string): boolean => Object.hasOwn(collector, key);
  if (has('url') && has('urls')) {
    const fault = { expected: 'either "url" or "urls"', found: 'both', remedy: 'keep "urls"' };
    return [problemAt(agent, ['collector', 'url'], { code: 'config_conflict', ...fault }, 'key')];
  }
  if (has('url') || has('urls') || ['url', 'urls'].some((key) => mayBeMisspelt(collectorSchema, collector, key))) {
    return [];
  }
  const fault = { expected: COLLECTOR_URL, found: 'no such key', remedy: 'add the key "url"' };
  return [problemAt(agent, ['collector', 'url'], { code: 'config_missing_key', ...fault })];
}

function repeatedUrls(agent: YamlSource): ConfigProblem[] {
  const list = ['collector', 'urls'];
  const entries = itemsAt(agent, list).flatMap((url, index) =>
    typeof url === 'string' ? [{ path: [...list, index], identity: url }] : [],
  );
  return duplicates(agent, entries, 'a URL that is listed once');
}

/** Certificates that no connection would ever use are a promise that is not kept. */
function certificatesWithoutTls(agent: YamlSource, collector: Record<string, unknown>): ConfigProblem[] {
  const urls = Object.hasOwn(collector, 'urls') ? itemsAt(agent, ['collector', 'urls']) : [collector['url']];
  const areAllPlain = urls.length > 0 && urls.every((url) => typeof url === 'string' && /^http:/i.test(url));
  if (!areAllPlain) return [];
  return ['ca_file', 'client_certificate'].flatMap((key) => {
    if (!Object.hasOwn(collector, key)) return [];
    const fault = {
      expected: 'no certificates, because no URL of the collector is https',
      found: key,
      remedy: 'write https in the URL, or remove the key',
    };
    return [problemAt(agent, ['collector', key], { code: 'config_conflict', ...fault }, 'key')];
  });
}
