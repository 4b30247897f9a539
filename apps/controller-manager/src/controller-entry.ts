import type { KubeClient } from '@orrery/client';
import type { Clock, Logger, Metrics, Random } from '@orrery/component';
import type { ControllerDefinition, EventRecorder, Reconciler } from '@orrery/controller';
import type { InformerFactory } from '@orrery/informers';
import type { ControllerManagerOptions } from './config/options.js';

/** What a controller is built from. */
export interface ControllerContext {
  /** Guarded: writes are fenced and refused after the lease is lost. */
  readonly client: KubeClient;
  readonly informers: InformerFactory;
  readonly events: (component: string) => EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Of the whole process: asking twice for a name gives the same metric. */
  readonly metrics: Metrics;
  readonly options: ControllerManagerOptions;
}

/** One line of the ordered list controllers.ts. */
export interface ControllerEntry {
  /** Upstream's name, as --controllers takes it. */
  readonly name: string;
  /** Runs only when --controllers names it; default '*' means it too. */
  readonly offByDefault?: boolean;
  definition(context: ControllerContext): ControllerDefinition;
  create(context: ControllerContext): Reconciler;
  /** Whether the options leave it out although --controllers names it. Default always on. */
  enabled?(options: ControllerManagerOptions): boolean;
}
