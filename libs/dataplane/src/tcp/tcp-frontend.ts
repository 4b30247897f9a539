import { getSystemErrorName } from 'node:util';
import type { FrontendContext, FrontendListener } from '../frontend.js';
import type { FrontendKey } from '../table/service-table.js';
import { DESCRIPTORS, TcpConnection } from './tcp-connection.js';
import { listenTcp, resetTcp } from './tcp-handle.js';
import type { TcpHandle } from './tcp-handle.js';

const BACKLOG = 4096;

/** Relays TCP connections of one VIP and port to the backends of its rule. */
export class TcpFrontend implements FrontendListener {
  private handle: TcpHandle | undefined;

  constructor(
    readonly key: FrontendKey,
    private readonly context: FrontendContext,
  ) {}

  listen(): Promise<void> {
    const { address } = this.key;
    const port = this.context.reachablePort(this.key.port);
    const handle = listenTcp({
      address,
      port,
      backlog: BACKLOG,
      isShared: this.context.isShared,
      accept: (status, client) => {
        this.accept(status, client);
      },
    });
    if (typeof handle === 'number')
      return Promise.reject(new Error(`listen ${getSystemErrorName(handle)} ${address}:${port}`));
    this.handle = handle;
    return Promise.resolve();
  }

  rulesChanged(): void {
    // Established connections live on, as conntrack lets them: nothing to do.
  }

  /** After the next poll, which takes in every connection that waits: the kernel resets those that nobody accepted. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.destroy();
        resolve();
      });
    });
  }

  destroy(): void {
    this.handle?.close();
    this.handle = undefined;
  }

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
