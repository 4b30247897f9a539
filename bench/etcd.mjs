/** The etcd that benchmarks start: ORRERY_ETCD_BIN, else that of PATH. */
export const ETCD_PROGRAM = process.env.ORRERY_ETCD_BIN ?? 'etcd';

/**
 * Flags of a member that is alone at `host` (ports 2379 and 2380) and keeps its data in `folder`. Disks are no part of what
 * is measured: nothing is waited for but where `fsync` says so.
 */
export function etcdFlags(host, folder, { fsync = false } = {}) {
  const [client, peer] = [`http://${host}:2379`, `http://${host}:2380`];
  return [
    `--data-dir=${folder}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--log-level=error',
    '--logger=zap',
    '--quota-backend-bytes=8589934592',
    ...(fsync ? [] : ['--unsafe-no-fsync']),
  ];
}
