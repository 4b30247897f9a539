import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { SystemClock } from '@orrery/component';

export interface RelayAddress {
  readonly host: string;
  readonly port: number;
}

/** Which way bytes go through a relay. */
export type Direction = 'toServer' | 'toClient';

/** What a relay does to its connections; asked for each chunk. `label` names who connected, where that is known. */
export interface RelayPolicy {
  blocks(direction: Direction, label: string): boolean;
  delayMs(): number;
}

/** Says who opened a connection from the first bytes it sent. */
export type Labeler = (first: Buffer) => string;

interface Chunk {
  readonly bytes: Buffer;
  readonly due: number;
}

const DIRECTIONS: readonly Direction[] = ['toServer', 'toClient'];
const clock = new SystemClock();

/**
 * One connection through a relay. What is blocked is held and passes after the fault, as TCP would send it again; a
 * connection that is opened while either direction is blocked is never made and breaks when the fault ends.
 */
class Connection {
  private readonly queues: Readonly<Record<Direction, Chunk[]>> = { toServer: [], toClient: [] };
  private upstream: Socket | undefined;
  private label = '';
  private isDead = false;
  private isEnding = false;

  constructor(
    private readonly client: Socket,
    private readonly target: RelayAddress,
    private readonly policy: RelayPolicy,
    private readonly onClose: (connection: Connection) => void,
    private readonly onPassed: (bytes: number) => void,
  ) {
    client.setNoDelay(true);
    client.on('error', () => undefined);
    client.on('close', () => this.end());
  }

  /** Starts to relay; with a labeler only when the first bytes have come. */
  start(labeler: Labeler | undefined): void {
    if (!labeler) {
      this.open();
      this.client.on('data', (bytes) => this.push('toServer', bytes));
      return;
    }
    this.client.once('data', (first) => {
      this.label = labeler(first);
      this.open();
      this.push('toServer', first);
      this.client.on('data', (bytes) => this.push('toServer', bytes));
    });
  }

  /** The policy changed: lets go of what is no longer held. */
  update(): void {
    if (this.isDead && !this.isBlocked()) this.destroy();
    else for (const direction of DIRECTIONS) this.drain(direction);
  }

  destroy(): void {
    this.client.resetAndDestroy();
    this.upstream?.resetAndDestroy();
    this.onClose(this);
  }

  private isBlocked(): boolean {
    return DIRECTIONS.some((direction) => this.policy.blocks(direction, this.label));
  }

  private open(): void {
    if (this.isBlocked()) {
      this.isDead = true;
      return;
    }
    const upstream = connect(this.target.port, this.target.host);
    this.upstream = upstream;
    upstream.setNoDelay(true);
    upstream.on('data', (bytes) => this.push('toClient', bytes));
    upstream.on('error', () => undefined);
    upstream.on('close', () => this.end());
  }

  /** A side has closed. Through a blocked link nobody learns of that. */
  private end(): void {
    this.isEnding = true;
    if (this.isBlocked()) this.isDead = true;
    else {
      for (const direction of DIRECTIONS) this.drain(direction);
      if (DIRECTIONS.every((direction) => this.queues[direction].length === 0)) {
        this.client.destroy();
        this.upstream?.destroy();
        this.onClose(this);
      }
    }
  }

  private push(direction: Direction, bytes: Buffer): void {
    if (this.isDead) return;
    this.queues[direction].push({ bytes, due: clock.monotonic() + this.policy.delayMs() });
    this.drain(direction);
  }

  private drain(direction: Direction): void {
    const queue = this.queues[direction];
    const socket = direction === 'toServer' ? this.upstream : this.client;
    while (queue[0] && socket && !this.policy.blocks(direction, this.label)) {
      const wait = queue[0].due - clock.monotonic();
      if (wait > 0) {
        clock.after(Math.ceil(wait), () => this.drain(direction), { unref: true });
        return;
      }
      const chunk = queue.shift();
      if (chunk && !socket.destroyed) socket.write(chunk.bytes);
      if (chunk && direction === 'toClient') this.onPassed(chunk.bytes.length);
    }
    if (this.isEnding && queue.length === 0 && !this.isBlocked()) socket?.end();
  }
}

/** A TCP relay on an address of its own whose links can be cut, blocked and slowed. */
export class Relay {
  private readonly connections = new Set<Connection>();
  private budget: number | undefined;

  private constructor(
    readonly address: RelayAddress,
    private readonly server: Server,
  ) {}

  static async start(
    address: RelayAddress,
    target: RelayAddress,
    policy: RelayPolicy,
    labeler?: Labeler,
  ): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(address, server);
    server.on('connection', (client) => {
      const connection = new Connection(
        client,
        target,
        policy,
        (closed) => relay.connections.delete(closed),
        (bytes) => relay.spend(bytes),
      );
      relay.connections.add(connection);
      connection.start(labeler);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address.port, address.host, resolve);
    });
    return relay;
  }

  get url(): string {
    return `${this.address.host}:${this.address.port}`;
  }

  /** Breaks all present connections. */
  cut(): void {
    for (const connection of this.connections) connection.destroy();
  }

  /** Breaks all connections once so many bytes have gone to clients. */
  cutAfter(bytes: number): void {
    this.budget = bytes;
  }

  /** To be called after every change of the policy. */
  update(): void {
    for (const connection of this.connections) connection.update();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private spend(bytes: number): void {
    if (this.budget === undefined) return;
    this.budget -= bytes;
    if (this.budget > 0) return;
    this.budget = undefined;
    this.cut();
  }
}

/** A policy that one switch and one number govern, for links without names. */
export class SimplePolicy implements RelayPolicy {
  isBlocked = false;
  delay = 0;

  blocks(): boolean {
    return this.isBlocked;
  }

  delayMs(): number {
    return this.delay;
  }
}
