declare module 'spdy-transport' {
  import type { EventEmitter } from 'node:events';
  import type { Duplex, Readable } from 'node:stream';
  import type { Inflate } from 'node:zlib';

  export interface SpdyStream extends Duplex {
    readonly id: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly _spdyState: { readonly window: Window };
    respond(status: number, headers: object, callback?: (error?: Error) => void): void;
    abort(code?: 'REFUSED_STREAM'): void;
  }

  type KeyValues = Record<string, string>;
  export interface FrameHead {
    readonly control: boolean;
    /** Of a control frame. */
    readonly version: number | null;
    readonly type: number | null;
    /** Of the rest of the frame, in bytes. */
    readonly length: number;
  }

  type Parsed = (error: Error | null, frame?: unknown) => void;
  interface Parser extends Readable {
    /** The head of the frame whose body is still to come. */
    readonly pendingHeader: FrameHead | null;
    onFrameHead(buffer: unknown, callback: Parsed): void;
    parseKVs(buffer: unknown, callback: (error: Error | null, values?: KeyValues) => void): void;
  }

  /** What is to be sent. */
  export interface Scheduled {
    /** False: a control frame. */
    readonly priority: number | false;
    /** Called when more may be written. */
    readonly callback?: (error?: Error | null) => void;
  }
  interface Framer extends Readable {
    schedule(item: Scheduled): void;
    windowUpdateFrame(frame: object, callback?: () => void): void;
  }

  interface WindowSide {
    current: number;
    max: number;
    limit: number;
    setMax(max: number): void;
    updateMax(max: number): void;
  }
  interface Window {
    readonly send: WindowSide;
  }

  export interface SpdyConnection extends EventEmitter {
    readonly _spdyState: {
      readonly parser: Parser;
      readonly framer: Framer;
      readonly stream: {
        readonly count: number;
        readonly map: Readonly<Record<number, SpdyStream>>;
      };
      /** The compression of headers; there from `start` on. */
      readonly pair: { readonly decompress: Inflate };
      /** Of the session, and what that of each new stream is a copy of. */
      readonly window: Window;
      readonly streamWindow: Window;
    };
    start(version: number): void;
    on(event: 'frame', listener: (frame: { type: string; id?: number }) => void): this;
    on(event: 'stream', listener: (stream: SpdyStream) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'close', listener: () => void): this;
    request(
      options: { method: string; path: string; host: string; headers: Record<string, string> },
      callback: (error: Error | undefined, stream: SpdyStream) => void,
    ): SpdyStream | undefined;
    end(): void;
  }

  const transport: {
    readonly connection: {
      create(socket: Duplex, options: { protocol: 'spdy'; isServer: boolean }): SpdyConnection;
    };
  };
  export default transport;
}
