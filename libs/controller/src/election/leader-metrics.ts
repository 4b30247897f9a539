import type { Metrics } from '@orrery/component';

/** What one candidate tells of a lease (k8s component-base metrics/prometheus/clientgo/leaderelection). */
export interface LeaderMeters {
  leads(leads: boolean): void;
  /** The leader had to read the lease before it could renew it. */
  slowPath(): void;
}

export function createLeaderMeters(metrics: Metrics, name: string): LeaderMeters {
  const labels = ['name'] as const;
  const master = metrics.gauge({
    name: 'leader_election_master_status',
    help: "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
    labels,
  });
  const slow = metrics.counter({
    name: 'leader_election_slowpath_total',
    help: "Total number of slow path exercised in renewing leader leases. 'name' is the string used to identify the lease. Please make sure to group by name.",
    labels,
  });
  return {
    leads: (leads) => {
      master.set({ name }, leads ? 1 : 0);
    },
    slowPath: () => {
      slow.inc({ name });
    },
  };
}
