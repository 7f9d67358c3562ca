/** Makes a configuration immutable: it is shared by every part of the program and owned by none. */

/** Freezes plain objects and arrays all the way down and returns the same value. */
export function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) freezeDeep(child);
    Object.freeze(value);
  }
  return value;
}
