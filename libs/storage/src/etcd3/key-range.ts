/** Everything etcd holds: its convention for "all keys" is a zero byte on both sides. */
export const ALL_KEYS = { key: Buffer.from([0]), range_end: Buffer.from([0]) } as const;

/** The first key that is past every key starting with `prefix`. */
export function prefixEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  for (let i = end.length - 1; i >= 0; i--) {
    const byte = end[i] ?? 0;
    if (byte < 0xff) {
      end[i] = byte + 1;
      return end.subarray(0, i + 1);
    }
  }
  return Buffer.from([0]);
}

/** The smallest key greater than `key`. */
export function keyAfter(key: string): Buffer {
  return Buffer.concat([Buffer.from(key), Buffer.from([0])]);
}
