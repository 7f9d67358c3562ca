/** What a direction does while events are on: its own behaviour, changed by one after another. */

import type { LabChange, LabDirection, LabEvent, LinkBehaviour } from '../config/lab-scenario.ts';

/** Whether the event has to do with the direction. */
export function concerns({ what }: LabEvent, { from, to }: LabDirection): boolean {
  if (what.kind === 'isolate') return what.host === from || what.host === to;
  return what.from === from && what.to === to;
}

/**
 * The direction's members under these changes of it, in their order: fields that a later one sets replace those of an
 * earlier one, and its factor multiplies the delay that is then there.
 */
export function effectiveMembers(direction: LabDirection, changes: readonly LabChange[]): readonly LinkBehaviour[] {
  return direction.members.map((own, member) =>
    changes.reduce((behaviour, change) => (reaches(change, member) ? changed(behaviour, change) : behaviour), own),
  );
}

function reaches(change: LabChange, member: number): boolean {
  return change.member === null || change.member === member;
}

function changed(behaviour: LinkBehaviour, { set, delayFactor }: LabChange): LinkBehaviour {
  const replaced = { ...behaviour, ...set };
  return { ...replaced, delayNs: replaced.delayNs * delayFactor };
}
