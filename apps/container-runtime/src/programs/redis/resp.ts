/** A reply of RESP2: text stands for a simple string; null for a missing bulk string. */
export type Reply =
  { readonly ok: string } | { readonly error: string } | number | Buffer | null | readonly Reply[];

const CRLF = '\r\n';

export function encodeReply(reply: Reply): Buffer {
  if (reply === null) return Buffer.from('$-1\r\n');
  if (typeof reply === 'number') return Buffer.from(`:${reply}${CRLF}`);
  if (Buffer.isBuffer(reply))
    return Buffer.concat([Buffer.from(`$${reply.length}${CRLF}`), reply, Buffer.from(CRLF)]);
  if (Array.isArray(reply))
    return Buffer.concat([
      Buffer.from(`*${reply.length}${CRLF}`),
      ...(reply as readonly Reply[]).map(encodeReply),
    ]);
  if ('ok' in reply) return Buffer.from(`+${reply.ok}${CRLF}`);
  return Buffer.from(`-${(reply as { error: string }).error}${CRLF}`);
}

/** Commands larger than this end the connection. */
const MAX_BUFFER = 64 * 1024 * 1024;

/** Cuts a byte stream into commands: RESP arrays of bulk strings, or plain lines as a person types them. */
export class CommandReader {
  private buffer: Buffer = Buffer.alloc(0);

  /** Throws RangeError for what is no RESP. */
  push(chunk: Buffer): Buffer[][] {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    if (this.buffer.length > MAX_BUFFER) throw new RangeError('Protocol error: too big');
    const commands: Buffer[][] = [];
    for (;;) {
      const parsed = this.parse();
      if (!parsed) return commands;
      this.buffer = this.buffer.subarray(parsed.end);
      if (parsed.parts.length > 0) commands.push(parsed.parts);
    }
  }

  private lineAt(start: number): { text: string; end: number } | undefined {
    const end = this.buffer.indexOf('\n', start);
    if (end < 0) return undefined;
    return { text: this.buffer.toString('utf8', start, end).replace(/\r$/, ''), end: end + 1 };
  }

  private parse(): { parts: Buffer[]; end: number } | undefined {
    const head = this.lineAt(0);
    if (!head) return undefined;
    if (!head.text.startsWith('*')) {
      const words = head.text.split(/\s+/).filter((word) => word !== '');
      return { parts: words.map((word) => Buffer.from(word)), end: head.end };
    }
    const parts: Buffer[] = [];
    let at = head.end;
    for (let left = Number(head.text.slice(1)); left > 0; left--) {
      const size = this.lineAt(at);
      if (!size) return undefined;
      const length = Number(size.text.slice(1));
      if (!size.text.startsWith('$') || !Number.isInteger(length) || length < 0)
        throw new RangeError(`Protocol error: expected '$', got '${size.text.charAt(0)}'`);
      if (this.buffer.length < size.end + length + CRLF.length) return undefined;
      parts.push(this.buffer.subarray(size.end, size.end + length));
      at = size.end + length + CRLF.length;
    }
    return { parts, end: at };
  }
}
