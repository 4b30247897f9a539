import { join } from 'node:path';

/** Node i (from 1): its name. The first is the control plane. */
export const nodeName = (i: number): string => `k8s-${String(i).padStart(2, '0')}`;

/** The addresses of a cluster inside its block 127.C.0.0/16 (docs/architecture.md, "Addresses"). */
export interface Addresses {
  readonly block: number;
  readonly apiServer: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Addresses of Services of type LoadBalancer. */
  readonly loadBalancerPool: string;
  readonly dns: string;
  node(i: number): string;
  etcdMember(i: number): string;
}

export function addressesOf(block: number): Addresses {
  const prefix = `127.${block}`;
  return {
    block,
    apiServer: `${prefix}.0.1`,
    podCidr: `${prefix}.64.0/18`,
    serviceCidr: `${prefix}.128.0/17`,
    loadBalancerPool: `${prefix}.48.0/24`,
    dns: `${prefix}.128.10`,
    node: (i) => `${prefix}.0.${i}`,
    etcdMember: (i) => `${prefix}.0.${200 + i}`,
  };
}

/** C of the blocks 127.C.0.0/16 that a cluster may have. */
export const FIRST_BLOCK = 10;
export const LAST_BLOCK = 250;

/** Most nodes of one cluster: the /24s between 127.C.65 and 127.C.127. */
export const MAX_NODES = 62;

/** etcd's own advice: more than seven members make writes slow and nothing safer. */
export const MAX_ETCD_MEMBERS = 7;
/** Members have an address each behind 127.C.0.200. */
export const MAX_ETCD_NUMBER = 50;

/** Where a cluster keeps its files. */
export class ClusterFiles {
  constructor(readonly dir: string) {}

  readonly pki = (...path: string[]): string => join(this.dir, 'pki', ...path);
  readonly run = (...path: string[]): string => join(this.dir, 'run', ...path);
  readonly logs = (...path: string[]): string => join(this.dir, 'logs', ...path);
  readonly node = (name: string, ...path: string[]): string =>
    join(this.dir, 'nodes', name, ...path);
  readonly etcd = (): string => join(this.dir, 'etcd');

  get adminConf(): string {
    return join(this.dir, 'admin.conf');
  }

  get settings(): string {
    return join(this.dir, 'cluster.json');
  }

  get supervisorPid(): string {
    return this.run('orrery.pid');
  }

  get controlSocket(): string {
    return this.run('orrery.sock');
  }

  get dataplaneSocket(): string {
    return this.run('dataplane.sock');
  }

  criSocket(node: string): string {
    return this.node(node, 'cri.sock');
  }

  pidFile(component: string): string {
    return this.run(`${component}.pid`);
  }
}
