import { join } from 'node:path';
import type { KubeletOptions } from '../config/kubelet-options.js';
import type { HollowFlags } from './hollow-flags.js';

/** What only the node itself knows; the rest is what a kubelet's flags say by default. */
type Own = Pick<KubeletOptions, 'nodeName' | 'nodeIps' | 'tuning'> & Partial<KubeletOptions>;

export const PORT = 10_250;
export const MAX_PODS = 110;
export const NODE_STATUS_MS = 10_000;
/** Four renewals in a Lease's life. */
export const LEASE_SECONDS = 40;

/** The options of a kubelet without a machine: no server with a certificate, no static pods, no runtime to dial. */
export function hollowOptions(
  { kubeconfig, rootDir: folder }: HollowFlags,
  own: Own,
): KubeletOptions {
  const rootDir = join(folder, own.nodeName);
  return {
    kubeconfig,
    paths: { rootDir, podLogsDir: join(rootDir, 'pod-logs') },
    runtimeEndpoint: '',
    manifestPath: undefined,
    taints: [],
    labels: {},
    clusterDns: [],
    clusterDomain: 'cluster.local',
    address: '127.0.0.1',
    port: PORT,
    healthz: undefined,
    tls: undefined,
    nodeStatusUpdateMs: NODE_STATUS_MS,
    nodeLeaseSeconds: LEASE_SECONDS,
    maxPods: MAX_PODS,
    allocationFile: undefined,
    ...own,
  };
}
