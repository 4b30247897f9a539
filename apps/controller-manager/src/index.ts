/** kube-controller-manager: every controller of the list, behind one lease. */
import { parseFlags } from '@orrery/component';
import type { ComponentApp, ComponentContext } from '@orrery/component';
import {
  WatchTransport,
  connectGuarded,
  createQueueMeters,
  runTransport,
} from '@orrery/controller';
import { ControllerManagerFlags, toOptions } from './config/options.js';
import type { ControllerContext } from './controller-entry.js';
import { ControllerManagerModule } from './controller-manager.module.js';
import { selectControllers } from './controller-selection.js';
import { queueNameOf } from './queue-names.js';
import { CONTROLLERS } from './controllers/controllers.js';

const NAME = 'kube-controller-manager';

async function run(argv: readonly string[], context: ComponentContext): Promise<void> {
  const options = toOptions(parseFlags(ControllerManagerFlags, argv, NAME));
  const entries = selectControllers(CONTROLLERS, options);
  const guarded = await connectGuarded(NAME, options, context);
  const parts: ControllerContext = { ...guarded, options };
  const strategy = new WatchTransport({
    ...guarded,
    meters: createQueueMeters(guarded.metrics),
    definitions: entries.map((entry) => {
      const definition = entry.definition(parts);
      const concurrency = options.concurrency[entry.name] ?? definition.concurrency;
      return { ...definition, concurrency, queue: queueNameOf(entry.name) };
    }),
  });
  try {
    await runTransport(strategy, ControllerManagerModule.register(entries, parts), context.signal);
  } finally {
    await guarded.close();
  }
}

/** The component, for main.ts and for a composition of several. */
export const app: ComponentApp = {
  name: NAME,
  run,
};
