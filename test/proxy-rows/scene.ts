import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { SystemClock, SystemRandom } from '@orrery/component';
import type { Cancel } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
import type {
  Backend,
  DataplaneOptions,
  FrontendProblem,
  PolicyName,
  Protocol,
  ServiceRule,
} from '@orrery/dataplane';

export const MIB = 1024 * 1024;
export const NODE = 'k8s-01';

/** kube-proxy's modes, and the policy by which each chooses unless told otherwise. */
export const MODES = [
  { mode: 'iptables', policy: 'random' },
  { mode: 'ipvs', policy: 'rr' },
] as const satisfies readonly { mode: string; policy: PolicyName }[];

/** The machine's time, and what a test adds to it; with `holdsTimers` what is due later happens when the test says so. */
export class ShiftedClock extends SystemClock {
  shiftMs = 0;
  holdsTimers = false;
  private readonly held = new Set<() => void>();

  override monotonic(): number {
    return super.monotonic() + this.shiftMs;
  }

  override after(ms: number, run: () => void, options?: { unref?: boolean }): Cancel {
    if (!this.holdsTimers) return super.after(ms, run, options);
    this.held.add(run);
    return () => this.held.delete(run);
  }

  /** Everything that was to happen later happens now, once. */
  releaseTimers(): void {
    const due = [...this.held];
    this.held.clear();
    for (const run of due) run();
  }
}

/** User and system time of this process in ms: what a step costs, however busy the machine is. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Repeated until it holds; the last failure when it never does. */
export async function until(holds: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export type Rule = Partial<Omit<ServiceRule, 'backends'>> & {
  readonly backends: readonly Backend[];
};

/** One dataplane with one service, its pods and its clients; everything ends with `end`. */
export class Scene {
  readonly clock = new ShiftedClock();
  readonly plane: Dataplane;
  private readonly cleanups: (() => void)[] = [];

  constructor(
    readonly protocol: Protocol,
    readonly policy: PolicyName,
    readonly vip = '127.234.128.7',
    options: Partial<DataplaneOptions> = {},
  ) {
    this.plane = new Dataplane({
      clock: this.clock,
      random: new SystemRandom(),
      allowedBackends: ['127.234.64.0/18'],
      // Where a dial is to time out, the test lets it (releaseTimers).
      dialTimeoutMs: 60_000,
      ...options,
    });
  }

  readonly port = 18_080;

  end(): void {
    this.plane.destroy();
    for (const cleanup of this.cleanups.splice(0)) cleanup();
  }

  onEnd(cleanup: () => void): void {
    this.cleanups.push(cleanup);
  }

  rule(rule: Rule): ServiceRule {
    return {
      id: 'default/web:http',
      protocol: this.protocol,
      frontends: [{ address: this.vip, port: this.port, kind: 'clusterIP' }],
      policy: this.policy,
      affinityMs: 0,
      ...rule,
    };
  }

  /** Everything the node's kube-proxy wants. */
  put(...rules: Rule[]): Promise<readonly FrontendProblem[]> {
    return this.plane.replace({
      node: NODE,
      sources: [],
      rules: rules.map((one) => this.rule(one)),
    });
  }

  change(...rules: Rule[]): Promise<unknown> {
    return Promise.resolve(
      this.plane.change(NODE, { set: rules.map((one) => this.rule(one)), remove: [] }),
    );
  }

  /** A TCP server on a pod's address. */
  async server(onClient: (socket: Socket) => void, address = '127.234.65.1'): Promise<Pod> {
    const server = createServer({ allowHalfOpen: true }, onClient);
    const open = new Set<Socket>();
    server.on('connection', (socket) => {
      open.add(socket);
      socket.on('error', () => undefined);
    });
    server.listen({ port: 0, host: address, backlog: 4096 });
    await once(server, 'listening');
    const stop = (): void => {
      server.close();
      for (const socket of open) socket.destroy();
    };
    this.onEnd(stop);
    return { address, port: (server.address() as AddressInfo).port, weight: 1, server, stop };
  }

  /** Says its name and closes. */
  async greeter(name: string): Promise<Pod> {
    return this.server((socket) => socket.end(name));
  }

  /** Says its name, then repeats what it is told. */
  async echo(name: string): Promise<Pod> {
    return this.server((socket) => {
      socket.write(name);
      socket.on('data', (data) => socket.write(data));
      socket.on('end', () => socket.end());
    });
  }

  client(vip = this.vip): Socket {
    const socket = connect({ host: vip, port: this.port, allowHalfOpen: true });
    socket.on('error', () => undefined);
    this.onEnd(() => socket.destroy());
    return socket;
  }

  async greet(): Promise<string> {
    return (await readAll(this.client())).toString();
  }

  /** A UDP pod that answers with its name and what it was told, unless that is large. */
  async udpPod(name: string, address = '127.234.65.1'): Promise<UdpPod> {
    const socket = createSocket('udp4');
    const sources: RemoteInfo[] = [];
    socket.on('message', (data, from) => {
      sources.push(from);
      socket.send(
        data.length > 1_000 ? data : `${name}:${data.toString()}`,
        from.port,
        from.address,
      );
    });
    socket.bind(0, address);
    await once(socket, 'listening');
    let isOpen = true;
    const stop = (): void => {
      if (isOpen) socket.close();
      isOpen = false;
    };
    this.onEnd(stop);
    return { address, port: socket.address().port, weight: 1, sources, stop };
  }

  udpClient(): UdpClient {
    const client = new UdpClient(this.vip, this.port);
    this.onEnd(() => client.close());
    return client;
  }
}

export type Pod = Backend & { readonly server: Server; readonly stop: () => void };
export type UdpPod = Backend & {
  readonly sources: readonly RemoteInfo[];
  readonly stop: () => void;
};

/** Sends and receives datagrams; replies that do not come from the service's address are an error. */
export class UdpClient {
  readonly socket: UdpSocket = createSocket('udp4');

  constructor(
    private readonly vip: string,
    private readonly port: number,
  ) {}

  send(data: string | Buffer): void {
    this.socket.send(data, this.port, this.vip);
  }

  async ask(data: string | Buffer): Promise<Buffer> {
    this.send(data);
    return this.receive();
  }

  async receive(): Promise<Buffer> {
    const signal = AbortSignal.timeout(30_000);
    const [data, from] = (await once(this.socket, 'message', { signal })) as [Buffer, RemoteInfo];
    if (from.address !== this.vip || from.port !== this.port)
      throw new Error(`reply from ${from.address}:${from.port}`);
    return data;
  }

  async name(): Promise<string> {
    return (await this.ask('x')).toString().split(':')[0] ?? '';
  }

  close(): void {
    this.socket.close();
  }
}

export async function readAll(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The error with which a socket ends; undefined for a proper end. */
export const endOf = (socket: Socket): Promise<string | undefined> =>
  new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    });
    socket.on('close', () => {
      resolve(undefined);
    });
    socket.resume();
  });

/** Pearson's statistic for `counts` of equal expectation. */
export function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
