import { join } from 'node:path';
import { memberOptions } from '@orrery/storage';
import { TestMember, eventually } from '@orrery/testkit';
import type { AddressPlan } from './address-plan.js';
import { EtcdGateway } from './etcd-gateway.js';
import { PeerNetwork } from './peer-network.js';
import type { ProcessTable } from './process-table.js';
import type { RelayAddress } from './relay.js';

/** etcd's heartbeat and election timers in milliseconds. */
export interface Timers {
  readonly name: 'fast' | 'default';
  readonly heartbeatMs: number;
  readonly electionMs: number;
}

export const TIMERS = {
  fast: { name: 'fast', heartbeatMs: 20, electionMs: 200 },
  default: { name: 'default', heartbeatMs: 100, electionMs: 1000 },
} as const satisfies Record<string, Timers>;

export interface EtcdClusterOptions {
  readonly binary: string;
  readonly folder: string;
  readonly plan: AddressPlan;
  readonly timers: Timers;
  readonly size: 1 | 3;
  readonly quotaBytes?: number;
  readonly processes: ProcessTable;
}

/** Where one member listens. */
interface Place {
  readonly name: string;
  readonly client: RelayAddress;
  readonly peer: RelayAddress;
  /** Where the other members reach it. */
  readonly relay: RelayAddress;
}

const toUrl = ({ host, port }: RelayAddress): string => `http://${host}:${port}`;

/** One member with its hands and eyes. */
export interface EtcdMember {
  readonly index: number;
  readonly process: TestMember;
  readonly gateway: EtcdGateway;
  readonly clientAddress: RelayAddress;
}

/** A real etcd cluster whose peers reach each other through relays. */
export class EtcdCluster {
  private constructor(
    readonly members: readonly EtcdMember[],
    readonly network: PeerNetwork,
    readonly timers: Timers,
  ) {}

  static async start(options: EtcdClusterOptions): Promise<EtcdCluster> {
    const { plan, folder, timers, size, quotaBytes, processes } = options;
    const network = new PeerNetwork();
    const places: Place[] = [];
    for (let i = 0; i < size; i++) {
      const [client, peer, relay] = [plan.next(), plan.next(), plan.next()];
      await network.add(relay, peer);
      places.push({ name: `m${i + 1}`, client, peer, relay });
    }
    const members = memberOptions({
      binary: options.binary,
      members: places.map(({ name, client, peer, relay }) => ({
        name,
        dataDir: join(folder, name),
        clientUrl: toUrl(client),
        peerUrl: toUrl(peer),
        advertisePeerUrl: toUrl(relay),
      })),
      logLevel: 'warn',
      heartbeatMs: timers.heartbeatMs,
      electionMs: timers.electionMs,
      ...(quotaBytes === undefined ? {} : { quotaBytes }),
    }).map((each, index): EtcdMember => {
      const process: TestMember = new TestMember(each, join(folder, `${each.name}.log`), () =>
        processes.set(each.name, process.pid),
      );
      const clientAddress = places[index]?.client ?? { host: '', port: 0 };
      return { index, process, gateway: new EtcdGateway(process.endpoint), clientAddress };
    });
    const cluster = new EtcdCluster(members, network, timers);
    await cluster.startAll();
    const ids = await cluster.anyone.gateway.memberIds();
    network.setIds(places.map(({ relay }) => toHex(ids.get(toUrl(relay)))));
    return cluster;
  }

  /** The first member, for what any can do. */
  get anyone(): EtcdMember {
    return this.member(0);
  }

  member(index: number): EtcdMember {
    const found = this.members[index];
    if (!found) throw new Error(`no etcd member ${index}`);
    return found;
  }

  async startAll(): Promise<void> {
    for (const { process } of this.members) if (process.pid === undefined) process.spawn();
    await this.ready();
  }

  async ready(): Promise<void> {
    await Promise.all(this.members.map(({ process }) => process.ready()));
  }

  /** The member that leads, by its own word and a majority's. */
  leader(): Promise<EtcdMember> {
    return eventually(
      async () => {
        const answers = await Promise.all(
          this.members.map(async (member) => {
            const status = await member.gateway.status(500).catch(() => undefined);
            return { member, status };
          }),
        );
        const found = answers.find(
          ({ status }) =>
            status &&
            status.memberId === status.leaderId &&
            answers.filter((other) => other.status?.leaderId === status.memberId).length * 2 >
              answers.length,
        );
        if (!found) throw new Error('etcd has no leader');
        return found.member;
      },
      { timeoutMs: 10_000 },
    );
  }

  async followers(): Promise<readonly EtcdMember[]> {
    const leader = await this.leader();
    return this.members.filter((member) => member !== leader);
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(({ process }) => process.kill()));
    await this.network.close();
  }
}

const toHex = (id: string | undefined): string => BigInt(id ?? 0).toString(16);
