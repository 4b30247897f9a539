import 'reflect-metadata';
import { once } from 'node:events';
import type { ComponentApp } from '@orrery/component';
import {
  HelpRequested,
  KUBERNETES_VERSION,
  SystemClock,
  SystemRandom,
  createLogger,
  parseFlags,
} from '@orrery/component';
import { ApiServerOptions } from './config/options.js';
import { startServer } from './server.js';

/** What klog's users call debugging. */
const DEBUG_VERBOSITY = 4;

/** The API server's door: the one component that opens etcd. */
export const app: ComponentApp = {
  name: 'kube-apiserver',
  async run(argv, { signal, clock = new SystemClock(), onReady, local }) {
    const options = parseFlags(ApiServerOptions, argv, 'kube-apiserver');
    if (options.version) throw new HelpRequested(`Kubernetes ${KUBERNETES_VERSION}\n`);
    const level = options.verbosity < DEBUG_VERBOSITY ? 'info' : 'debug';
    const logger = createLogger({ component: 'kube-apiserver', level });
    const deps = { clock, random: new SystemRandom(), logger, ...(local ? { local } : {}) };
    const server = await startServer(options, deps, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (!server) return;
    logger.info('serving', { address: server.address });
    if (onReady) void server.started.then(onReady);
    if (!signal.aborted) await once(signal, 'abort');
    await server.close();
  },
};
