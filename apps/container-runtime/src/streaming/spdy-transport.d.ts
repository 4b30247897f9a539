declare module 'spdy-transport' {
  import type { EventEmitter } from 'node:events';
  import type { Duplex } from 'node:stream';

  export interface SpdyStream extends Duplex {
    readonly id: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly _spdyState: { readonly window: Window };
    respond(status: number, headers: object, callback?: (error?: Error) => void): void;
    abort(): void;
  }

  type KeyValues = Record<string, string>;
  interface Parser {
    parseKVs(buffer: unknown, callback: (error: Error | null, values?: KeyValues) => void): void;
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
      readonly framer: { windowUpdateFrame(frame: object, callback?: () => void): void };
      /** Of the session, and what that of each new stream is a copy of. */
      readonly window: Window;
      readonly streamWindow: Window;
    };
    start(version: number): void;
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
