import { getSystemErrorName } from 'node:util';
import type { FrontendContext, FrontendListener } from '../frontend.js';
import type { FrontendKey } from '../table/service-table.js';
import { DESCRIPTORS, TcpConnection } from './tcp-connection.js';
import { acceptOn, listenTcp, resetTcp } from './tcp-handle.js';
import type { AcceptOptions, TcpHandle } from './tcp-handle.js';

const BACKLOG = 4096;

/** Inherited sockets of one frontend that are kept; further ones are emptied and closed. */
const MAX_INHERITED = 4;
/** Polls without a connection to accept before nobody waits any more; a poll accepts one of each socket. */
const QUIET_POLLS = 2;
/** Polls after which a socket is closed though connections still come. */
const MAX_POLLS = 10_000;

/** Relays TCP connections of one VIP and port to the backends of its rule. */
export class TcpFrontend implements FrontendListener {
  private open: TcpHandle[] = [];
  private accepted = 0;

  constructor(
    readonly key: FrontendKey,
    private readonly context: FrontendContext,
  ) {}

  listen(): Promise<void> {
    const { address, text } = this.key;
    const inherited = this.context.inherited.take(text) as readonly TcpHandle[];
    this.open = inherited.filter((handle) => acceptOn(handle, this.accepting) === 0);
    if (this.open.length > MAX_INHERITED) void this.drain(this.open.splice(MAX_INHERITED));
    if (this.open.length > 0) return Promise.resolve();
    const port = this.context.reachablePort(this.key.port);
    const { isShared } = this.context;
    const handle = listenTcp({ address, port, isShared, ...this.accepting });
    if (typeof handle === 'number')
      return Promise.reject(new Error(`listen ${getSystemErrorName(handle)} ${address}:${port}`));
    this.open = [handle];
    return Promise.resolve();
  }

  rulesChanged(): void {
    // Established connections live on, as conntrack lets them: nothing to do.
  }

  handles(): readonly TcpHandle[] {
    return this.open;
  }

  close(): Promise<void> {
    return this.drain(this.open.splice(0));
  }

  destroy(): void {
    for (const handle of this.open.splice(0)) handle.close();
  }

  /**
   * Closes these sockets once nobody waits to be accepted: the kernel resets those who do when the last process that
   * has the socket closes it. Where a successor shares the socket nobody can be lost.
   */
  private async drain(handles: readonly TcpHandle[]): Promise<void> {
    let quiet = 0;
    for (let polls = 0; quiet < QUIET_POLLS && polls < MAX_POLLS; polls++) {
      const before = this.accepted;
      await nextPoll();
      quiet = this.accepted === before ? quiet + 1 : 0;
    }
    for (const handle of handles) handle.close();
  }

  private readonly accepting: AcceptOptions = {
    backlog: BACKLOG,
    accept: (status, client) => {
      this.accepted += 1;
      this.accept(status, client);
    },
  };

  private accept(status: number, client: TcpHandle | undefined): void {
    const { descriptors, counters } = this.context;
    if (status !== 0 || !client) {
      counters.acceptFailures += 1;
    } else if (descriptors.take(DESCRIPTORS)) {
      new TcpConnection(this.key, this.context, client).start();
    } else {
      counters.exhausted += 1;
      resetTcp(client);
    }
  }
}

const nextPoll = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
