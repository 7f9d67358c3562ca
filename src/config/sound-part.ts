/** Takes from a mapping the values that a check needs, so that a mistake in its other values hides nothing. */

import { z } from 'zod';
import { nearest } from './nearest.ts';

/**
 * The values of `keys` with their defaults, or null where they cannot be relied upon: one of them is wrong or missing, or
 * an unknown key of the mapping may be one of them misspelt.
 */
export function soundPart<Shape extends z.core.$ZodLooseShape, const Key extends keyof Shape & string>(
  schema: z.ZodObject<Shape>,
  value: unknown,
  keys: readonly Key[],
): { [K in Key]: z.output<Shape[K]> } | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const known = Object.keys(schema.shape);
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  const wanted: readonly string[] = keys;
  if (unknown.some((key) => wanted.includes(nearest(key, known) ?? ''))) return null;
  const part: Record<string, unknown> = {};
  for (const key of keys) {
    const given: unknown = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    const { success, data } = z.safeParse(schema.shape[key], given);
    if (!success) return null;
    part[key] = data;
  }
  return part as { [K in Key]: z.output<Shape[K]> };
}
