import { BufferPool } from './buffer-pool.js';
import { ShutdownWrap, UV_EOF, WriteWrap, isWriteWaiting, lastRead } from './tcp-handle.js';
import type { HandleRequest, TcpHandle } from './tcp-handle.js';

/** Reads of connections that say little go here; what was read is copied before it is written. */
const shared = Buffer.allocUnsafeSlow(64 * 1024);
/** From this size of a read on, a direction gets a buffer of its own and nothing is copied. */
const BULK = 32 * 1024;
/** A read below this size gives the buffer back. */
const SMALL = 8 * 1024;
const medium = new BufferPool({ size: 256 * 1024, kept: 32 });
/** For the few directions whose reads fill a buffer of their own. */
const LARGE = 1024 * 1024;
const large = new BufferPool({ size: LARGE, kept: 8, most: 32 });

const giveBack = (buffer: Buffer, isHeld: boolean): void => {
  (buffer.length === LARGE ? large : medium).give(buffer, isHeld);
};

/** A write request that no write has taken yet: only writes that wait keep theirs. */
let spare: HandleRequest = new WriteWrap();

/** What a pump tells the connection it belongs to. */
export interface PumpOwner {
  /** The source has ended and everything was handed to the sink; `shutDown` ends the sink's direction too. */
  ended(pump: Pump): void;
  /** One side broke off: a negated errno. */
  failed(pump: Pump, error: number): void;
  moved(pump: Pump, bytes: number): void;
}

/**
 * One direction of a connection: reads from the source and writes to the sink, one write at a time.
 *
 *            all written                     read of BULK bytes
 *   reading -------------> reading   shared --------------------> own buffer
 *      | waits for the sink             ^                            |
 *      v                                +----------------------------+
 *   waiting (source not read) --written--> reading   read below SMALL
 */
export class Pump {
  private own: Buffer | undefined;
  private isWaiting = false;
  private writes = 0;
  private isStopped = false;

  constructor(
    private readonly source: TcpHandle,
    private readonly sink: TcpHandle,
    private readonly owner: PumpOwner,
  ) {}

  start(): void {
    this.source.owner = this;
    this.source.onread = onRead;
    this.source.useUserBuffer(shared);
    this.source.readStart();
  }

  /** The handles are being closed: no call comes after this. */
  stop(): void {
    this.isStopped = true;
    // A write that waits still uses the buffer.
    if (this.own) giveBack(this.own, this.isWaiting);
    this.own = undefined;
  }

  /** Sends FIN to the sink after what was written. */
  shutDown(): void {
    const error = this.sink.shutdown(new ShutdownWrap());
    if (error) this.owner.failed(this, error);
  }

  /** Handles one read; a returned buffer is used for the next one. */
  read(count: number): Uint8Array | undefined {
    if (this.isStopped || count === 0) return undefined;
    if (count < 0) {
      if (count === UV_EOF) this.owner.ended(this);
      else this.owner.failed(this, count);
      return undefined;
    }
    // Other connections read into the shared buffer while a write may wait: it is never written from.
    const data = this.own ? this.own.subarray(0, count) : Buffer.from(shared.subarray(0, count));
    this.write(data);
    this.owner.moved(this, count);
    return this.nextBuffer(count);
  }

  private nextBuffer(count: number): Uint8Array | undefined {
    if (this.isStopped) return undefined;
    if (!this.own) {
      if (count >= BULK) this.own = medium.take();
      return this.own;
    }
    if (count === this.own.length && count < LARGE) return this.enlarge(this.own);
    if (count < SMALL && !this.isWaiting) {
      giveBack(this.own, false);
      this.own = undefined;
      return shared;
    }
    return undefined;
  }

  private enlarge(before: Buffer): Uint8Array | undefined {
    const larger = large.take();
    if (!larger) return undefined;
    giveBack(before, this.isWaiting);
    this.own = larger;
    return larger;
  }

  private write(data: Uint8Array): void {
    // Nothing holds back the first write of a direction (Nagle waits for what is under way): short connections save a call.
    this.writes += 1;
    if (this.writes === 2) this.sink.setNoDelay(true);
    const request = spare;
    request.oncomplete = onWritten;
    request.owner = this;
    const error = this.sink.writeBuffer(request, data);
    if (error) {
      this.owner.failed(this, error);
    } else if (isWriteWaiting()) {
      request.data = data;
      spare = new WriteWrap();
      this.isWaiting = true;
      this.source.readStop();
    }
  }

  written(status: number): void {
    if (this.isStopped) return;
    this.isWaiting = false;
    if (status < 0) this.owner.failed(this, status);
    else this.source.readStart();
  }
}

function onRead(this: TcpHandle): Uint8Array | undefined {
  return (this.owner as Pump).read(lastRead());
}

function onWritten(this: HandleRequest, status: number): void {
  (this.owner as Pump).written(status);
}
