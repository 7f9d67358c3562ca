/** Makes every bit of 32 depend on every other: the finalizer of MurmurHash3. */

/** `fmix32` of MurmurHash3_x86_32: a bijection of 32 bits. Returns an unsigned number. */
export function mix32(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
