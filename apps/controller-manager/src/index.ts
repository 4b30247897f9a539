/** kube-controller-manager: every controller of the list, behind one lease. */
import { measureFeatures, parseFlags } from '@orrery/component';
import type { ComponentApp, ComponentContext } from '@orrery/component';
import {
  WatchTransport,
  connectGuarded,
  createQueueMeters,
  runTransport,
} from '@orrery/controller';
import { accountOf } from './account-names.js';
import { ControllerManagerFlags, toOptions } from './config/options.js';
import type { ControllerContext, ControllerEntry } from './controller-entry.js';
import { ControllerManagerModule } from './controller-manager.module.js';
import { selectControllers } from './controller-selection.js';
import { tellRunning } from './running-controllers.js';
import { queueNameOf } from './queue-names.js';
import { CONTROLLERS } from './controllers/controllers.js';

const NAME = 'kube-controller-manager';

async function run(argv: readonly string[], context: ComponentContext): Promise<void> {
  const options = toOptions(parseFlags(ControllerManagerFlags, argv, NAME));
  const entries = selectControllers(CONTROLLERS, options);
  const guarded = await connectGuarded(NAME, options, context);
  measureFeatures(guarded.metrics, options.featureGates);
  const contextOf = ({ name }: ControllerEntry): ControllerContext => {
    const account = options.useServiceAccountCredentials ? accountOf(name) : undefined;
    const acting = account === undefined ? {} : guarded.actAs(account);
    return { ...guarded, ...acting, options };
  };
  const contexts = new Map(entries.map((entry) => [entry, contextOf(entry)]));
  const strategy = new WatchTransport({
    ...guarded,
    whileLeading: tellRunning(
      { metrics: guarded.metrics, checks: guarded.checks.healthz },
      entries.map(({ name }) => name),
      guarded.whileLeading,
    ),
    meters: createQueueMeters(guarded.metrics),
    definitions: [...contexts].map(([entry, parts]) => {
      const definition = entry.definition(parts);
      const concurrency = options.concurrency[entry.name] ?? definition.concurrency;
      return { ...definition, concurrency, queue: queueNameOf(entry.name) };
    }),
  });
  try {
    await runTransport(strategy, ControllerManagerModule.register(contexts), context.signal);
  } finally {
    await guarded.close();
  }
}

/** The component, alone in a process or beside others. */
export const app: ComponentApp = {
  name: NAME,
  run,
};
