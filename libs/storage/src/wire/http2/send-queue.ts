import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW,
  FLAG,
  FRAME_HEAD_BYTES,
  TYPE,
  writeHead,
} from './frames.js';

/** What a stream has still to send, and how much of it the other side takes at present. */
export interface Sender {
  readonly id: number;
  window: number;
  unsent: Buffer | undefined;
}

/** Sends bodies as far as the windows of the connection and of their streams allow (RFC 9113, section 5.2), in the order in which they came. */
export class SendQueue {
  /** Bytes that a new stream may send. */
  initialWindow = DEFAULT_WINDOW;
  frameBytes = DEFAULT_FRAME_BYTES;
  private window = DEFAULT_WINDOW;
  private readonly waiting = new Set<Sender>();

  constructor(private readonly write: (bytes: Buffer) => void) {}

  /** A request: its headers, and its body as far as it goes. */
  open(sender: Sender, block: Buffer, body: Buffer): void {
    const { id } = sender;
    const fits = body.length <= Math.min(this.window, sender.window, this.frameBytes);
    const size = FRAME_HEAD_BYTES + block.length + (fits ? FRAME_HEAD_BYTES + body.length : 0);
    const bytes = Buffer.allocUnsafe(size);
    writeHead(bytes, 0, { length: block.length, type: TYPE.headers, flags: FLAG.endHeaders, id });
    block.copy(bytes, FRAME_HEAD_BYTES);
    if (fits) {
      const at = FRAME_HEAD_BYTES + block.length;
      writeHead(bytes, at, { length: body.length, type: TYPE.data, flags: FLAG.endStream, id });
      body.copy(bytes, at + FRAME_HEAD_BYTES);
      this.spend(sender, body.length);
    }
    this.write(bytes);
    if (fits) return;
    sender.unsent = body;
    this.waiting.add(sender);
    this.pump();
  }

  forget(sender: Sender): void {
    this.waiting.delete(sender);
    sender.unsent = undefined;
  }

  /** The other side takes so much more: of one stream, or of all together. Throws RangeError beyond what windows may be. */
  widen(by: number, sender?: Sender): void {
    if (sender) sender.window += by;
    else this.window += by;
    if ((sender?.window ?? this.window) > 2 ** 31 - 1) throw new RangeError('a window too large');
    this.pump();
  }

  /** What streams may send at first has changed, for those that are open too. */
  resize(initial: number, open: Iterable<Sender>): void {
    const by = initial - this.initialWindow;
    this.initialWindow = initial;
    for (const sender of open) sender.window += by;
    this.pump();
  }

  private spend(sender: Sender, bytes: number): void {
    sender.window -= bytes;
    this.window -= bytes;
  }

  private pump(): void {
    for (const sender of this.waiting) {
      if (this.window <= 0) return;
      this.sendOf(sender);
    }
  }

  private sendOf(sender: Sender): void {
    while (sender.unsent) {
      const { unsent, id } = sender;
      const length = Math.min(unsent.length, this.window, sender.window, this.frameBytes);
      if (length <= 0) return;
      const isLast = length === unsent.length;
      const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + length);
      writeHead(bytes, 0, { length, type: TYPE.data, flags: isLast ? FLAG.endStream : 0, id });
      unsent.copy(bytes, FRAME_HEAD_BYTES, 0, length);
      this.spend(sender, length);
      this.write(bytes);
      if (isLast) this.forget(sender);
      else sender.unsent = unsent.subarray(length);
    }
  }
}
