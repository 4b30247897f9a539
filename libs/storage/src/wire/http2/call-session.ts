import { EventEmitter } from 'node:events';
import { connect as connectPlain, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import {
  CODE,
  FLAG,
  FrameSplitter,
  SETTING,
  TYPE,
  contentOf,
  frame,
  settings,
  settingsIn,
  uint32,
} from './frames.js';
import { decodeFields } from './header-block.js';
import { SendQueue } from './send-queue.js';
import type { Sender } from './send-queue.js';

/** What comes of a request. One of `ended` and `broken` is called, once and last. */
export interface CallListener {
  /** The answer's headers, and its trailers. */
  fields(fields: Readonly<Record<string, string>>): void;
  data(chunk: Buffer): void;
  ended(): void;
  /** `refused`: the other side has not begun it. */
  broken(refused: boolean): void;
}

export interface SessionTarget {
  readonly endpoint: string;
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

/** One request that is under way or waits for its turn. */
export interface OpenCall extends Sender {
  id: number;
  readonly listener: CallListener;
  readonly block: Buffer;
  readonly body: Buffer;
  /** Bytes read that the other side has not been told of. */
  read: number;
}

interface KnownBlock {
  readonly block: Buffer;
  readonly fields: Readonly<Record<string, string>>;
}
/** Headers, trailers, and those of another kind of answer. */
const MOST_KNOWN = 4;

const CLOSED = new Error('the connection is closed');

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const WINDOW = 4 * 1024 * 1024;
/** Behind it a connection has no numbers for streams left. */
const LAST_ID = 2 ** 31 - 3;

function socketTo({ endpoint, tls }: SessionTarget): Socket {
  const url = new URL(endpoint);
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  const isSecure = url.protocol === 'https:';
  const port = Number(url.port) || (isSecure ? 443 : 80);
  if (!isSecure) return connectPlain({ host, port, noDelay: true });
  const servername = isIP(host) === 0 ? host : '';
  return connectSecure({ host, port, servername, ALPNProtocols: ['h2'], ...tls }).setNoDelay(true);
}

/**
 * The client's side of one HTTP/2 connection, for requests that are there as a whole and whose headers mean the same each time: what is asked in
 * one turn of the loop goes out in one write. node:http2 takes 60 us more for each request, as a stream of its own with all of its events.
 *
 * Emits 'remoteSettings' when the server has spoken, and 'close' at its end.
 */
export class CallSession extends EventEmitter {
  readonly socket: Socket;
  /** Takes no more requests. */
  closed = false;
  destroyed = false;
  private readonly calls = new Map<number, OpenCall>();
  private readonly queued: OpenCall[] = [];
  private mostCalls = Infinity;
  private nextId = 1;
  private unsent: Buffer[] = [];
  private readonly sending = new SendQueue((bytes) => this.write(bytes));
  /** Of all calls together. */
  private read = 0;
  private readonly pings: ((error: Error | null) => void)[] = [];
  private hasSpoken = false;
  /** A block of headers that goes on in further frames. */
  private partial:
    { readonly id: number; readonly flags: number; readonly parts: Buffer[] } | undefined;
  /** Blocks that came last. */
  private known: readonly KnownBlock[] = [];

  constructor(target: SessionTarget) {
    super();
    this.socket = socketTo(target);
    const splitter = new FrameSplitter(this);
    this.socket.on('data', (chunk: Buffer) => {
      try {
        splitter.push(chunk);
      } catch {
        // What cannot be read cannot be answered: a new connection can.
        this.destroy();
      }
    });
    this.socket.on('error', () => this.destroy());
    this.socket.once('close', () => this.end());
    this.write(PREFACE);
    this.write(
      settings([
        [SETTING.tableSize, 0],
        [SETTING.push, 0],
        [SETTING.window, WINDOW],
      ]),
    );
    this.write(frame(TYPE.window, uint32(WINDOW)));
  }

  /** Sends a request with these headers (encodeFields) and this body. */
  request(block: Buffer, body: Buffer, listener: CallListener): OpenCall {
    const call: OpenCall = { id: 0, listener, block, body, window: 0, unsent: undefined, read: 0 };
    if (this.closed) process.nextTick(() => listener.broken(true));
    else if (this.calls.size >= this.mostCalls) this.queued.push(call);
    else this.begin(call);
    return call;
  }

  /** Nobody waits for it any more; its listener hears no more. */
  cancel(call: OpenCall): void {
    const at = this.queued.indexOf(call);
    if (at >= 0) this.queued.splice(at, 1);
    if (this.calls.get(call.id) !== call) return;
    this.write(frame(TYPE.reset, uint32(CODE.cancel), 0, call.id));
    this.leave(call);
  }

  ping(callback: (error: Error | null) => void): void {
    if (this.destroyed) {
      process.nextTick(() => callback(CLOSED));
      return;
    }
    this.pings.push(callback);
    this.write(frame(TYPE.ping, Buffer.alloc(8)));
  }

  ref(): void {
    this.socket.ref();
  }

  unref(): void {
    this.socket.unref();
  }

  destroy(): void {
    this.closed = true;
    this.destroyed = true;
    this.socket.destroy();
  }

  /** From the splitter. Throws RangeError for what breaks the protocol. */
  frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (this.partial && type !== TYPE.continuation) throw new RangeError('headers without an end');
    switch (type) {
      case TYPE.data:
        return this.onData(flags, id, payload);
      case TYPE.headers:
      case TYPE.continuation:
        return this.onHeaders(type, { flags, id, payload });
      case TYPE.reset:
        return this.onReset(id, payload.readUInt32BE(0));
      case TYPE.settings:
        return this.onSettings(flags, payload);
      case TYPE.ping:
        return this.onPing(flags, payload);
      case TYPE.goAway:
        return this.onGoAway(payload.readUInt32BE(0) & 0x7f_ff_ff_ff, payload.readUInt32BE(4));
      case TYPE.window:
        return this.onWindow(id, payload.readUInt32BE(0) & 0x7f_ff_ff_ff);
      case TYPE.push:
        throw new RangeError('nothing is to be pushed');
      default:
        return undefined;
    }
  }

  private begin(call: OpenCall): void {
    call.id = this.nextId;
    call.window = this.sending.initialWindow;
    this.nextId += 2;
    if (this.nextId > LAST_ID) this.closed = true;
    this.calls.set(call.id, call);
    this.sending.open(call, call.block, call.body);
  }

  /** It is over: another may begin. */
  private leave(call: OpenCall): void {
    this.calls.delete(call.id);
    this.sending.forget(call);
    while (!this.closed && this.calls.size < this.mostCalls) {
      const next = this.queued.shift();
      if (!next) break;
      this.begin(next);
    }
    if (!this.closed || this.calls.size > 0) return;
    this.flush();
    this.socket.destroySoon();
  }

  private write(bytes: Buffer): void {
    if (this.unsent.length === 0) process.nextTick(() => this.flush());
    this.unsent.push(bytes);
  }

  private flush(): void {
    const { unsent } = this;
    this.unsent = [];
    if (this.destroyed || unsent.length === 0) return;
    const [first] = unsent;
    this.socket.write(unsent.length === 1 && first ? first : Buffer.concat(unsent));
  }

  private onData(flags: number, id: number, payload: Buffer): void {
    const call = this.calls.get(id);
    this.read += payload.length;
    if (this.read > WINDOW / 2) {
      this.write(frame(TYPE.window, uint32(this.read)));
      this.read = 0;
    }
    if (!call) return;
    const content = contentOf(payload, flags, false);
    if (content.length > 0) call.listener.data(content);
    if ((flags & FLAG.endStream) !== 0) {
      this.finish(call);
      return;
    }
    call.read += payload.length;
    if (call.read <= WINDOW / 2) return;
    this.write(frame(TYPE.window, uint32(call.read), 0, id));
    call.read = 0;
  }

  private onHeaders(
    type: number,
    { flags, id, payload }: { flags: number; id: number; payload: Buffer },
  ): void {
    let partial = this.partial;
    if (type === TYPE.headers) partial = { id, flags, parts: [contentOf(payload, flags, true)] };
    else if (partial?.id === id) partial.parts.push(payload);
    if (partial?.id !== id) throw new RangeError('headers that go on without a beginning');
    const isWhole = (flags & FLAG.endHeaders) !== 0;
    this.partial = isWhole ? undefined : partial;
    const call = this.calls.get(id);
    if (!isWhole || !call) return;
    const [first] = partial.parts;
    const block = partial.parts.length === 1 && first ? first : Buffer.concat(partial.parts);
    call.listener.fields(this.fieldsIn(block));
    if ((partial.flags & FLAG.endStream) !== 0) this.finish(call);
  }

  /** Most answers have the headers, and the trailers, of the last one. */
  private fieldsIn(block: Buffer): Readonly<Record<string, string>> {
    const known = this.known.find((each) => each.block.equals(block));
    if (known) return known.fields;
    const fields = decodeFields(block);
    this.known = [{ block: Buffer.from(block), fields }, ...this.known.slice(0, MOST_KNOWN - 1)];
    return fields;
  }

  private finish(call: OpenCall): void {
    // What it still has to send nobody reads.
    if (call.unsent) this.write(frame(TYPE.reset, uint32(CODE.cancel), 0, call.id));
    this.leave(call);
    call.listener.ended();
  }

  private onReset(id: number, code: number): void {
    const call = this.calls.get(id);
    if (!call) return;
    this.leave(call);
    call.listener.broken(code === CODE.refused);
  }

  private onSettings(flags: number, payload: Buffer): void {
    if ((flags & FLAG.ack) !== 0) return;
    for (const [name, value] of settingsIn(payload)) {
      if (name === SETTING.streams) this.mostCalls = value;
      else if (name === SETTING.window) this.sending.resize(value, this.calls.values());
      else if (name === SETTING.frameBytes) this.sending.frameBytes = value;
    }
    this.write(frame(TYPE.settings, Buffer.alloc(0), FLAG.ack));
    if (this.hasSpoken) return;
    this.hasSpoken = true;
    this.emit('remoteSettings');
  }

  private onPing(flags: number, payload: Buffer): void {
    if ((flags & FLAG.ack) === 0) this.write(frame(TYPE.ping, payload, FLAG.ack));
    else this.pings.shift()?.(null);
  }

  /** What the server has not begun is told as refused; the rest may still be answered, unless it goes for an error. */
  private onGoAway(lastId: number, code: number): void {
    this.closed = true;
    for (const call of this.queued.splice(0)) call.listener.broken(true);
    for (const call of this.calls.values())
      if (call.id > lastId) {
        this.leave(call);
        call.listener.broken(true);
      }
    if (code !== CODE.none || this.calls.size === 0) this.destroy();
  }

  private onWindow(id: number, by: number): void {
    const call = this.calls.get(id);
    if (id === 0 || call) this.sending.widen(by, call);
  }

  private end(): void {
    this.closed = true;
    this.destroyed = true;
    for (const call of this.queued.splice(0)) call.listener.broken(true);
    const open = [...this.calls.values()];
    this.calls.clear();
    for (const call of open) call.listener.broken(false);
    for (const callback of this.pings.splice(0)) callback(CLOSED);
    this.emit('close');
  }
}
