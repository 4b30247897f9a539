import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

import { SystemClock } from '@orrery/component';

import { freeAddress } from './addresses.js';
import type { Address } from './addresses.js';

/** A TCP relay that can misbehave on demand: between a client and etcd, or any two parties. */
export class TcpFaultProxy implements AsyncDisposable {
  /** New and present connections stay open, and nothing passes in either direction. */
  blackHole = false;
  /** Requests pass, answers are lost: after a cut, whoever asked cannot know what was done. */
  muteAnswers = false;
  /** New connections are closed at once. */
  refuse = false;
  /** Each chunk is held back this long, in both directions. */
  delayMs = 0;
  /** Connections accepted so far. */
  accepted = 0;
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private downstreamBudget: number | undefined;
  private readonly clock = new SystemClock();

  constructor(
    readonly address: Address,
    private readonly target: Address,
    private readonly server: Server,
  ) {
    server.on('connection', (client) => this.relay(client));
  }

  /** As an http URL: what etcd clients take. */
  get url(): string {
    return `http://${this.address.host}:${this.address.port}`;
  }

  /** Breaks all present connections. */
  cut(): void {
    for (const pair of this.pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** Breaks the connections once `bytes` have passed from the server to clients, once. */
  cutAfter(bytes: number): void {
    this.downstreamBudget = bytes;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private relay(client: Socket): void {
    this.accepted++;
    if (this.refuse) {
      client.destroy();
      return;
    }
    const upstream = connect(this.target.port, this.target.host);
    const pair = [client, upstream] as const;
    this.pairs.add(pair);
    client.on('data', (chunk) => this.pass(chunk, upstream));
    upstream.on('data', (chunk) => this.answer(chunk, client));
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        this.pairs.delete(pair);
      });
    }
  }

  private answer(chunk: Buffer, client: Socket): void {
    if (this.muteAnswers) return;
    this.pass(chunk, client);
    if (this.downstreamBudget === undefined) return;
    this.downstreamBudget -= chunk.length;
    if (this.downstreamBudget > 0) return;
    this.downstreamBudget = undefined;
    client.end(() => this.cut());
  }

  private pass(chunk: Buffer, to: Socket): void {
    if (this.blackHole || to.destroyed) return;
    if (this.delayMs === 0) to.write(chunk);
    else this.clock.after(this.delayMs, () => to.write(chunk));
  }
}

/** Starts a relay to `target` (host and port, or a URL). */
export async function startTcpFaultProxy(target: Address | string): Promise<TcpFaultProxy> {
  const address = await freeAddress();
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  return new TcpFaultProxy(address, toAddress(target), server);
}

function toAddress(target: Address | string): Address {
  if (typeof target !== 'string') return target;
  const { hostname, port } = new URL(target);
  return { host: hostname, port: Number(port) };
}
