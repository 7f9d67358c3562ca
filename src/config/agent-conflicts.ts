/** Values of an agent.yaml that are right alone and wrong together with others, of its own or of the mesh. */

import { LIMITS } from '../base/limits.ts';
import { MS_PER_S } from '../base/units.ts';
import { agentSchema, reflectorSchema, twampSenderSchema } from './agent-schema.ts';
import { resolveBeside } from './beside-file.ts';
import { collectorConflicts } from './collector-conflicts.ts';
import { duplicates } from './duplicates.ts';
import { canonicalAddress, familyOf } from './ip-address.ts';
import { classParts, type PopPart, popParts, stampNeeds } from './mesh-parts.ts';
import { popSchema, stampSchema } from './mesh-schema.ts';
import { nearest } from './nearest.ts';
import type { ConfigProblem, Fault } from './problem.ts';
import { dotted, type Path, quote } from './quote.ts';
import { soundPart } from './sound-part.ts';
import { itemsAt, placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

/** Looks at every part that is sound in itself, so that a mistake elsewhere in the two files hides nothing here. */
export function agentConflicts(agent: YamlSource, mesh: YamlSource | null): ConfigProblem[] {
  const own = [...socketPathTooLong(agent), ...repeatedTwampSenders(agent), ...collectorConflicts(agent)];
  if (mesh === null) return own;
  const pops = popParts(mesh);
  const pop = soundPart(agentSchema, agent.value, ['pop'])?.pop;
  const self = pop === undefined ? null : (pops.find(({ name }) => name === pop) ?? null);
  return [
    ...own,
    ...(pop === undefined || self !== null ? [] : notInMesh(agent, mesh, pop)),
    ...withoutStampKeys(agent, mesh),
    ...tooFewReflected(agent, mesh, self === null ? pops : [self]),
    ...(self === null ? [] : [...otherMode(agent, mesh, self), ...unreachableTwampSenders(agent, mesh, self)]),
  ];
}

function notInMesh(agent: YamlSource, mesh: YamlSource, pop: string): ConfigProblem[] {
  const pops = valueAt(mesh, ['pops']);
  if (!Array.isArray(pops)) return [];
  const names = pops.map((_, index) => valueAt(mesh, ['pops', index, 'name'])).filter((n) => typeof n === 'string');
  if (names.includes(pop)) return [];
  const meant = nearest(pop, names);
  return conflict(agent, ['pop'], {
    expected: `the name of a PoP of the mesh (${placeOf(mesh, ['pops'])})`,
    found: quote(pop),
    remedy: meant === null ? 'correct the name, or add the PoP to the mesh' : `did you mean ${quote(meant)}?`,
  });
}

function withoutStampKeys(agent: YamlSource, mesh: YamlSource): ConfigProblem[] {
  const authenticated = stampNeeds(mesh).find((needs) => needs.authenticated);
  if (authenticated === undefined || valueAt(agent, ['stamp_keys']) !== undefined) return [];
  const path = ['probes', authenticated.index, 'authenticated'];
  return conflict(agent, ['stamp_keys'], {
    expected: `a folder of keys, because ${dotted(path)} at ${placeOf(mesh, path)} is true`,
    found: 'no such key',
    remedy: 'add the key "stamp_keys"; popprobe keygen --stamp makes what belongs in the folder',
  });
}

/** `pops`: the agent's own PoP, or all that it may be. A limit below what the peers send would look like their loss. */
function tooFewReflected(agent: YamlSource, mesh: YamlSource, pops: readonly PopPart[]): ConfigProblem[] {
  const path = ['reflector', 'packets_per_second_per_session'];
  const given = valueAt(agent, ['reflector']);
  const part = soundPart(reflectorSchema, given === undefined ? {} : given, ['packets_per_second_per_session']);
  const sent = classParts(mesh)
    .filter(({ index }) => soundPart(stampSchema, itemsAt(mesh, ['probes'])[index], ['kind']) !== null)
    .filter(({ family }) => pops.every(({ has }) => has[family] === true))
    .toSorted((a, b) => a.intervalMs - b.intervalMs)
    .at(0);
  if (part === null || sent === undefined) return [];
  const perSecond = MS_PER_S / sent.intervalMs;
  if (perSecond <= part.packets_per_second_per_session) return [];
  const interval = ['probes', sent.index, 'interval_ms'];
  const needed = Math.ceil(perSecond);
  return conflict(agent, path, {
    expected: `at least ${needed} packets/s, which each flow sends by ${dotted(interval)} at ${placeOf(mesh, interval)}`,
    found: `${part.packets_per_second_per_session}${valueAt(agent, path) === undefined ? ', the default' : ''}`,
    remedy: `write ${needed} or more`,
  });
}

/** Peers read the replies as what the mesh says they are. */
function otherMode(agent: YamlSource, mesh: YamlSource, self: PopPart): ConfigProblem[] {
  const path = ['pops', self.index, 'reflector'];
  const given = valueAt(agent, ['reflector']);
  const mode = soundPart(reflectorSchema, given === undefined ? {} : given, ['mode'])?.mode;
  const inMesh = soundPart(popSchema, valueAt(mesh, ['pops', self.index]), ['reflector'])?.reflector;
  if (mode === undefined || inMesh === undefined || inMesh === 'twamp_light' || mode === inMesh) return [];
  return conflict(agent, ['reflector', 'mode'], {
    expected: `${inMesh}, which ${dotted(path)} is at ${placeOf(mesh, path)}`,
    found: valueAt(agent, ['reflector', 'mode']) === undefined ? `${mode}, the default` : mode,
    remedy: 'make the two files agree',
  });
}

function repeatedTwampSenders(agent: YamlSource): ConfigProblem[] {
  const entries = twampSenders(agent).map(({ path, address, port }) => ({ path, identity: `${address} ${port}` }));
  return duplicates(agent, entries, 'an address and port that no other sender has');
}

/** The reflector answers from the PoP's own address, which must be of the same family. */
function unreachableTwampSenders(agent: YamlSource, mesh: YamlSource, self: PopPart): ConfigProblem[] {
  return twampSenders(agent).flatMap(({ path, address }) => {
    if (self.has[familyOf(address)] !== false) return [];
    return conflict(agent, path, {
      expected: `an address of a family in which the PoP has one (${placeOf(mesh, ['pops', self.index])})`,
      found: quote(address),
      remedy: `remove the sender, or give the PoP the key "${familyOf(address)}"`,
    });
  });
}

function twampSenders(agent: YamlSource): { path: Path; address: string; port: number }[] {
  const list = ['reflector', 'twamp_senders'];
  return itemsAt(agent, list).flatMap((sender, index) => {
    const part = soundPart(twampSenderSchema, sender, ['address', 'port']);
    if (part === null) return [];
    return [{ path: [...list, index, 'address'], address: canonicalAddress(part.address), port: part.port }];
  });
}

function conflict(source: YamlSource, path: Path, parts: Omit<Fault, 'code'>): ConfigProblem[] {
  return [problemAt(source, path, { code: 'config_conflict', ...parts })];
}

function socketPathTooLong(source: YamlSource): ConfigProblem[] {
  const part = soundPart(agentSchema, source.value, ['status_socket']);
  if (part === null) return [];
  const bytes = Buffer.byteLength(resolveBeside(source.file, part.status_socket));
  if (bytes <= LIMITS.socketPathBytesMax) return [];
  const fault = {
    code: 'config_invalid_value',
    expected: `a path of at most ${LIMITS.socketPathBytesMax} octets once it is absolute`,
    found: `${bytes} octets`,
    remedy: 'choose a shorter path, for example below /run',
  } as const;
  return [problemAt(source, ['status_socket'], fault)];
}
