/** kube-scheduler: gives each pod that has none a node, behind one lease. */
import { parseFlags } from '@orrery/component';
import type { ComponentApp, ComponentContext } from '@orrery/component';
import { connectGuarded, runTransport } from '@orrery/controller';
import { assemble } from './assemble.js';
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
  try {
    await runTransport(strategy, SchedulerModule.register(scheduler), context.signal);
  } finally {
    await guarded.close();
  }
}

/** The component, alone in a process or beside others. */
export const app: ComponentApp = {
  name: NAME,
  run,
};

export { explainScheduling } from './explain/explain-scheduling.js';
export type { Explanation } from './explain/explain.js';
export { renderExplanation } from './explain/render.js';
