import { AddressPlan } from '../../cluster/address-plan.js';
import { findEtcdBinary, newFolder } from '../../cluster/cluster.js';
import { EtcdCluster, TIMERS } from '../../cluster/etcd-cluster.js';
import { ProcessTable } from '../../cluster/process-table.js';
import type { RowContext } from '../row.js';

export interface SingleEtcd {
  readonly etcd: EtcdCluster;
  readonly plan: AddressPlan;
  readonly version: string;
  /** Holds the member's data. */
  readonly folder: string;
}

/** Runs something on an etcd of one member. */
export async function withSingleEtcd<T>(
  context: RowContext,
  run: (single: SingleEtcd) => Promise<T>,
): Promise<T> {
  const { path, version } = await findEtcdBinary(context.etcdBinary);
  const folder = newFolder();
  const processes = new ProcessTable([folder]);
  try {
    const plan = await AddressPlan.find(context.block, context.random);
    const shared = { binary: path, folder, plan, processes };
    const etcd = await EtcdCluster.start({ ...shared, timers: TIMERS.fast, size: 1 });
    try {
      return await run({ etcd, plan, version, folder });
    } finally {
      await etcd.stop();
    }
  } finally {
    processes.release();
  }
}
