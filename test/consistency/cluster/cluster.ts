import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '@orrery/component';
import { findEtcd } from '@orrery/storage';
import { AddressPlan } from './address-plan.js';
import type { Reads } from './api-server.js';
import { ApiServer } from './api-server.js';
import { EtcdCluster } from './etcd-cluster.js';
import type { Timers } from './etcd-cluster.js';
import { ProcessTable } from './process-table.js';

export interface ClusterOptions {
  readonly timers: Timers;
  /** One API server for each. */
  readonly replicas: readonly Reads[];
  /** Default 3. */
  readonly members?: 1 | 3;
  readonly quotaBytes?: number;
  /** Second number of the 127.x addresses. */
  readonly block: number;
  readonly etcdBinary?: string;
  readonly random: Random;
}

/** The etcd that a run is made with. */
export function findEtcdBinary(
  path: string | undefined,
): Promise<{ path: string; version: string }> {
  return findEtcd({
    allowInstall: false,
    cacheDir: join(tmpdir(), 'orrery-cache'),
    ...(path === undefined ? {} : { path }),
  });
}

/** A folder for etcd's data: in memory where the machine allows. */
export function newFolder(): string {
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  return mkdtempSync(join(base, 'orrery-consistency-'));
}

type ClusterParts = Pick<
  Cluster,
  'etcd' | 'servers' | 'etcdVersion' | 'plan' | 'processes' | 'folder'
>;

/** An etcd cluster and API servers, all of them real processes that end with this one at the latest. */
export class Cluster implements AsyncDisposable {
  readonly etcd: EtcdCluster;
  readonly servers: readonly ApiServer[];
  readonly etcdVersion: string;
  /** Gives addresses to whoever else listens in this run. */
  readonly plan: AddressPlan;
  /** Whatever else is started in this run goes in here. */
  readonly processes: ProcessTable;
  readonly folder: string;

  private constructor(parts: ClusterParts) {
    this.etcd = parts.etcd;
    this.servers = parts.servers;
    this.etcdVersion = parts.etcdVersion;
    this.plan = parts.plan;
    this.processes = parts.processes;
    this.folder = parts.folder;
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const { block, random, replicas, timers, members = 3, quotaBytes } = options;
    const found = await findEtcdBinary(options.etcdBinary);
    const folder = newFolder();
    const processes = new ProcessTable([folder]);
    try {
      const plan = await AddressPlan.find(block, random);
      const shared = { plan, folder, processes };
      const etcd = await EtcdCluster.start({
        ...shared,
        binary: found.path,
        timers,
        size: members,
        ...(quotaBytes === undefined ? {} : { quotaBytes }),
      });
      const servers = [];
      for (const [index, reads] of replicas.entries())
        servers.push(await ApiServer.create({ ...shared, index, reads, members: etcd.members }));
      await Promise.all(servers.map((server) => server.start()));
      return new Cluster({ etcd, servers, etcdVersion: found.version, plan, processes, folder });
    } catch (error) {
      processes.release();
      throw error;
    }
  }

  server(index: number): ApiServer {
    const found = this.servers[index % this.servers.length];
    if (!found) throw new Error('a cluster without API servers');
    return found;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.servers.map((server) => server.stop()), this.etcd.stop()]);
    this.processes.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
