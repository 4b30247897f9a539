import type { Readable } from 'node:stream';

/** Who asks within the process: what a connection would tell the server. One object for all requests of a client. */
export interface LocalPeer {
  readonly remoteAddress: string;
  /** PEM of the client's certificate and of its key, both or none. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** A request that does not leave the process. */
export interface LocalRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly peer: LocalPeer;
  /** Aborts when the client wants no answer any more. */
  readonly signal: AbortSignal;
}

export interface LocalHead {
  readonly code: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface LocalAnswer extends LocalHead {
  readonly body: Buffer;
}

/** An answer whose head has been written; its body is destroyed by whoever wants no more of it. */
export interface LocalStream extends LocalHead {
  readonly body: Readable;
  /** Whether a body that has ended is all of it. */
  readonly isWhole: () => boolean;
}

/** A server's door for clients of its own process: the same steps as for all others, but for the wire. */
export interface LocalServer {
  /** Whether such a request is taken; others go over the wire. */
  takes(request: Pick<LocalRequest, 'method' | 'path' | 'body'>): boolean;
  /** The whole answer. Rejects when the server cuts it. */
  ask(request: LocalRequest): Promise<LocalAnswer>;
  /** Resolves with the head of an answer that goes on. */
  open(request: LocalRequest): Promise<LocalStream>;
}

/** The servers of one process, by where others would connect to them. */
export class LocalServers {
  readonly #servers = new Map<string, LocalServer>();

  /** `origin` = https://host:port. Gives what takes the server back. */
  offer(origin: string, server: LocalServer): () => void {
    this.#servers.set(origin, server);
    return () => {
      if (this.#servers.get(origin) === server) this.#servers.delete(origin);
    };
  }

  at(origin: string): LocalServer | undefined {
    return this.#servers.get(origin);
  }
}
