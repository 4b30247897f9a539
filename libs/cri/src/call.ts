/** A message to send: every field may be left out, at any depth. */
export type Init<T> = T extends Uint8Array | string | number | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Init<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]?: Init<T[Key]> | undefined }
      : T;

/** Of one call. */
export interface CallOptions {
  /** After which the call fails with DEADLINE_EXCEEDED; default: the client's `timeoutMs`, none for streams. */
  readonly timeoutMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}
