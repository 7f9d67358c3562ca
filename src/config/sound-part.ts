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
  if (keys.some((key) => mayBeMisspelt(schema, value, key))) return null;
  const part: Record<string, unknown> = {};
  for (const key of keys) {
    const given: unknown = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    const { success, data } = z.safeParse(schema.shape[key], given);
    if (!success) return null;
    part[key] = data;
  }
  return part as { [K in Key]: z.output<Shape[K]> };
}

/** Whether a mapping has an unknown key that may mean this one. */
export function mayBeMisspelt(schema: z.ZodObject, value: unknown, key: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const known = Object.keys(schema.shape);
  // Most keys are like none: the first two questions keep a file of very many from being compared key by key.
  const mayMean = (given: string): boolean => nearest(given, [key]) !== null && nearest(given, known) === key;
  return Object.keys(value).some((given) => !known.includes(given) && mayMean(given));
}
