/** An unsigned 64-bit integer; CEL's int is a bigint. */
export class Uint {
  constructor(readonly value: bigint) {}
}

/** Nanoseconds since 1970; between years 1 and 9999. */
export class Timestamp {
  constructor(readonly nanos: bigint) {}
}

export class Duration {
  constructor(readonly nanos: bigint) {}
}
