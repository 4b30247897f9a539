import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { resources } from '@orrery/api';
import { decodeYaml } from '@orrery/apimachinery';
import { connect, loadKubeconfig } from '@orrery/client';
import {
  ConfigError,
  KUBERNETES_VERSION,
  KlogLogger,
  SystemClock,
  SystemRandom,
  inRootfs,
  validateConfig,
} from '@orrery/component';
import type { Clock, ComponentContext, Logger } from '@orrery/component';
import {
  ReconcileErrorFilter,
  WatchTransport,
  WriteFence,
  leadAlways,
  reconcilerController,
} from '@orrery/controller';
import type { Reconciler } from '@orrery/controller';
import { DataplaneClient } from '@orrery/dataplane';
import type { PolicyName } from '@orrery/dataplane';
import { InformerFactory } from '@orrery/informers';
import { KubeProxyConfiguration } from './config/kube-proxy-configuration.js';
import type { KubeProxyFlags } from './config/kube-proxy-flags.js';
import { serveHealth } from './health/health.js';
import { Programmer } from './programming/programmer.js';
import {
  SERVICE_NAME,
  SLICE_SCOPE,
  SERVICE_SCOPE,
  nodeScope,
  serviceDefinition,
} from './service.definition.js';
import { BY_SERVICE, ServiceReconciler } from './service.reconciler.js';

const RECONCILER = Symbol('ServiceReconciler');

@Module({})
class KubeProxyModule {
  static with(reconciler: Reconciler, name: string): DynamicModule {
    return {
      module: KubeProxyModule,
      controllers: [reconcilerController(name, RECONCILER)],
      providers: [{ provide: RECONCILER, useValue: reconciler }],
    };
  }
}

/** Reads the KubeProxyConfiguration; upstream's defaults without a file. Throws ConfigError. */
export function readConfiguration(path: string): KubeProxyConfiguration {
  if (path === '') return new KubeProxyConfiguration();
  const file = inRootfs(path);
  let plain: unknown;
  let duplicates: readonly string[] = [];
  try {
    const decoded = decodeYaml(readFileSync(file));
    duplicates = decoded.duplicateFields;
    plain = decoded.value;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--config ${path}: ${why}`, { cause: error });
  }
  if (duplicates.length > 0)
    throw new ConfigError(`${path}: field set twice: ${duplicates.join(', ')}`);
  return validateConfig(KubeProxyConfiguration, plain, path);
}

function announceMode(config: KubeProxyConfiguration, logger: Logger): PolicyName {
  if (config.mode === 'ipvs') {
    const scheduler = config.ipvs?.scheduler || 'rr';
    logger.info('Using ipvs Proxier', { scheduler });
    return scheduler;
  }
  if (!config.mode) logger.info('Proxy mode is not set, using iptables');
  logger.info('Using iptables Proxier');
  return 'random';
}

function informersOf(
  config: KubeProxyConfiguration,
  flags: KubeProxyFlags,
  clock: Clock,
  logger: Logger,
): InformerFactory {
  const kubeconfig = flags.kubeconfig ?? config.clientConnection?.kubeconfig;
  if (!kubeconfig)
    throw new ConfigError(
      '--kubeconfig, or clientConnection.kubeconfig in the configuration, is needed',
    );
  const client = connect({
    ...loadKubeconfig(inRootfs(kubeconfig)),
    userAgent: `kube-proxy/${KUBERNETES_VERSION}`,
  });
  return new InformerFactory({ client, clock, random: new SystemRandom(), logger });
}

/** Runs kube-proxy until the signal aborts. Its rules stay in force in the dataplane. */
export async function serve(
  flags: KubeProxyFlags,
  { signal, clock = new SystemClock() }: ComponentContext,
): Promise<void> {
  const logger = new KlogLogger('kube-proxy', clock);
  const config = readConfiguration(flags.config);
  const nodeName = flags.hostnameOverride || config.hostnameOverride || hostname();
  logger.info('Starting kube-proxy', { version: KUBERNETES_VERSION, node: nodeName });
  const policy = announceMode(config, logger);
  const informers = informersOf(config, flags, clock, logger);
  const slices = informers.informer(resources.endpointslices, SLICE_SCOPE);
  slices.addIndex(BY_SERVICE, (slice) => {
    const name = slice.metadata.labels?.[SERVICE_NAME];
    return name ? [`${slice.metadata.namespace}/${name}`] : [];
  });
  const sink = new DataplaneClient(flags.dataplane.slice('unix://'.length));
  const programmer = new Programmer({ node: nodeName, sink, clock, logger });
  const definition = serviceDefinition(nodeName);
  const reconciler = new ServiceReconciler({
    nodeName,
    policy,
    services: informers.informer(resources.services, SERVICE_SCOPE).lister,
    slices: slices.lister,
    nodes: informers.informer(resources.nodes, nodeScope(nodeName)).lister,
    programmer,
    logger,
  });
  const transport = new WatchTransport({
    definitions: [definition],
    whileLeading: leadAlways,
    informers,
    fence: new WriteFence(clock),
    clock,
    logger,
  });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(
    KubeProxyModule.with(reconciler, definition.name),
    { strategy: transport, logger: false, abortOnError: false },
  );
  app.useGlobalFilters(new ReconcileErrorFilter());
  const health = await serveHealth(config, logger);
  const programming = programmer.start(signal);
  await app.listen();
  if (!signal.aborted) await once(signal, 'abort');
  await app.close();
  await programming;
  await health.close();
}
