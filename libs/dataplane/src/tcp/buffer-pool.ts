export interface PoolSize {
  /** Bytes of a buffer. */
  readonly size: number;
  /** Buffers kept for later; those given beyond are left to the garbage collector. */
  readonly kept: number;
  /** Buffers that may be in use at once; default as many as are asked for. */
  readonly most?: number;
}

/** Buffers of one size that are used again. */
export class BufferPool {
  private readonly free: Buffer[] = [];
  private taken = 0;

  constructor(private readonly sizes: PoolSize) {}

  /** Undefined = all that may be are in use. */
  take(): Buffer | undefined {
    const { size, most = Infinity } = this.sizes;
    if (this.taken >= most) return undefined;
    this.taken += 1;
    return this.free.pop() ?? Buffer.allocUnsafeSlow(size);
  }

  /** Takes a buffer back; one that somebody else still reads (`isHeld`) is left to the garbage collector. */
  give(buffer: Buffer, isHeld = false): void {
    this.taken -= 1;
    if (!isHeld && this.free.length < this.sizes.kept) this.free.push(buffer);
  }
}
