/** The schema of a long list: its reading ends at the first member that is wrong. */

import { z } from 'zod';

/**
 * An array of at most `max` members. Zod itself collects what is wrong with all of them: a million empty paths, which
 * are 3 MB of JSON, would cost gigabytes. The only issue is that of the first bad member, at its place.
 */
export function listOf<Member extends z.ZodType>(member: Member, max: number): z.ZodType<z.output<Member>[]> {
  return z
    .array(z.unknown())
    .max(max)
    .transform((values, context): z.output<Member>[] => {
      const members: z.output<Member>[] = [];
      for (const [index, value] of values.entries()) {
        const { success, data, error } = member.safeParse(value);
        if (!success) {
          const [issue] = error.issues;
          const path = [index, ...(issue?.path ?? [])];
          context.addIssue({ code: 'custom', message: issue?.message ?? 'invalid', path });
          return z.NEVER;
        }
        members.push(data);
      }
      return members;
    });
}
