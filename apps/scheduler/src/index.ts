/** kube-scheduler: gives each pod that has none a node, behind one lease. */
import { parseFlags } from '@orrery/component';
import type { ComponentApp, ComponentContext, HealthCheck } from '@orrery/component';
import { connectGuarded, runTransport } from '@orrery/controller';
import type { GuardedProcess } from '@orrery/controller';
import { assemble } from './assemble.js';
import { MAY_BE_ABSENT } from './cycle/cluster-watch.js';
import { SchedulerFlags, toOptions } from './config/options.js';
import { QueueTransport } from './queue-transport.js';
import { SchedulerModule } from './scheduler.module.js';

const NAME = 'kube-scheduler';

/** Decisions that are being carried out, most of which may wait for volumes. */
const MAX_IN_FLIGHT = 1024;

async function run(argv: readonly string[], context: ComponentContext): Promise<void> {
  const options = toOptions(parseFlags(SchedulerFlags, argv, NAME));
  const guarded = await connectGuarded(NAME, options, context);
  const { scheduler, queue, everySecond, podResources } = assemble(options, guarded);
  guarded.pages.set('/metrics/resources', podResources);
  const strategy = new QueueTransport({
    ...guarded,
    queue,
    everySecond,
    maxInFlight: MAX_IN_FLIGHT,
  });
  guarded.checks.readyz.push(...readiness(guarded, context.signal));
  try {
    await runTransport(strategy, SchedulerModule.register(scheduler), context.signal);
  } finally {
    await guarded.close();
  }
}

/** When pods may be placed, by the names of upstream's checks (k8s cmd/kube-scheduler/app/server.go:Run). */
function readiness({ informers }: GuardedProcess, signal: AbortSignal): HealthCheck[] {
  let isSynced = false;
  void informers.waitForSync(signal, MAY_BE_ABSENT).then(
    () => {
      isSynced = true;
    },
    () => undefined,
  );
  const synced = (what: string) => () => (isSynced ? undefined : `waiting for ${what} to sync`);
  return [
    { name: 'shutdown', check: () => (signal.aborted ? 'process is shutting down' : undefined) },
    { name: 'informer-sync', check: synced('informers') },
    { name: 'sched-handler-sync', check: synced('handlers') },
  ];
}

/** The component, alone in a process or beside others. */
export const app: ComponentApp = {
  name: NAME,
  run,
};

export { explainScheduling } from './explain/explain-scheduling.js';
export type { Explanation } from './explain/explain.js';
export { renderExplanation } from './explain/render.js';
