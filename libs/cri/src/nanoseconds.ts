/** `1700000000123000000`: CRI's int64 nanoseconds of a time in milliseconds; fractions are kept to the microsecond. */
export function toNanoseconds(ms: number): string {
  return String(BigInt(Math.floor(ms)) * 1_000_000n + BigInt(Math.round((ms % 1) * 1_000) * 1_000));
}

/** Milliseconds of CRI's nanoseconds; 0 for unset. */
export function fromNanoseconds(nanoseconds: string): number {
  return nanoseconds === '' ? 0 : Number(BigInt(nanoseconds) / 1_000n) / 1_000;
}
