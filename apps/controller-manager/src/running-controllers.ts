import { named } from '@orrery/component';
import type { HealthCheck, Metrics } from '@orrery/component';
import type { GuardedProcess } from '@orrery/controller';

/** Controllers that upstream's tell of themselves, and as what (k8s nodeipam and cloud-provider: ControllerStarted). */
const TOLD: Readonly<Record<string, string>> = {
  'node-ipam-controller': 'nodeipam',
  'service-lb-controller': 'service',
};

type WhileLeading = GuardedProcess['whileLeading'];

export interface Telling {
  readonly metrics: Metrics;
  /** Of /healthz: a check of each controller that runs is added. */
  readonly checks: HealthCheck[];
}

/** Tells which controllers run while this process leads (k8s component-base metrics/prometheus/controllers). */
export function tellRunning(
  { metrics, checks }: Telling,
  controllers: readonly string[],
  whileLeading: WhileLeading,
): WhileLeading {
  const running = metrics.gauge({
    name: 'running_managed_controllers',
    help: 'Indicates where instances of a controller are currently running',
    labels: ['name', 'manager'],
  });
  const names = controllers.flatMap((controller) => TOLD[controller] ?? []);
  const tell = (value: 0 | 1): void => {
    for (const name of names) running.set({ name, manager: 'kube-controller-manager' }, value);
  };
  const before = checks.length;
  return (until, lead) =>
    whileLeading(until, async (term, since) => {
      tell(1);
      checks.push(...controllers.map(named));
      try {
        await lead(term, since);
      } finally {
        tell(0);
        checks.length = before;
      }
    });
}
