import { once } from 'node:events';
import { hostname } from 'node:os';
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { resources } from '@orrery/api';
import { connect, loadKubeconfig, restClientMetrics } from '@orrery/client';
import {
  ConfigError,
  KUBERNETES_VERSION,
  KlogLogger,
  SystemClock,
  SystemRandom,
  createMetrics,
  inRootfs,
  reachablePort,
} from '@orrery/component';
import type { Clock, ComponentContext, Logger, Metrics } from '@orrery/component';
import {
  ReconcileErrorFilter,
  SeriesRecorder,
  WatchTransport,
  WriteFence,
  leadAlways,
  reconcilerController,
} from '@orrery/controller';
import type { Reconciler } from '@orrery/controller';
import { DataplaneClient } from '@orrery/dataplane';
import { InformerFactory } from '@orrery/informers';
import type { KubeProxyConfiguration } from './config/kube-proxy-configuration.js';
import type { KubeProxyFlags } from './config/kube-proxy-flags.js';
import { readConfiguration, setOomScore, watchConfiguration } from './config/read-configuration.js';
import { settingsOf, withoutEffect } from './config/settings.js';
import type { ProxySettings } from './config/settings.js';
import { HealthCheckNodePorts } from './health/health-check-node-ports.js';
import { HealthServers, isHealthy } from './health/health.js';
import { ProxyMetrics } from './metrics/proxy-metrics.js';
import { PolicySync } from './policy/policy-sync.js';
import { Programmer } from './programming/programmer.js';
import { HostBackends } from './rules/host-backends.js';
import { familiesOf, hostAddresses } from './rules/node-addresses.js';
import type { NodeFacts } from './rules/node-addresses.js';
import { SERVICE_NAME, SERVED, nodeScope, serviceDefinition } from './service.definition.js';
import { BY_SERVICE, ServiceReconciler } from './service.reconciler.js';

const RECONCILER = Symbol('ServiceReconciler');
const HTTPS_PORT = 443;

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

function announce(config: KubeProxyConfiguration, logger: Logger): ProxySettings {
  const settings = settingsOf(config);
  if (!config.mode) logger.info('Proxy mode is not set, using iptables');
  if (config.mode === 'nftables') logger.info('nftables is taken as iptables');
  if (settings.mode === 'ipvs') logger.info('Using ipvs Proxier', { scheduler: settings.policy });
  else logger.info('Using iptables Proxier');
  for (const text of withoutEffect(config)) logger.info('Setting without effect', { field: text });
  return settings;
}

interface Cluster {
  /** Port of the API server. */
  readonly apiPort: number;
  readonly informers: InformerFactory;
  readonly events: SeriesRecorder;
  /** Of requests to the API server. */
  readonly requests: Metrics;
}

function connectTo(
  kubeconfig: string | undefined,
  { nodeName, clock, logger }: { nodeName: string; clock: Clock; logger: Logger },
): Cluster {
  if (!kubeconfig)
    throw new ConfigError(
      '--kubeconfig, or clientConnection.kubeconfig in the configuration, is needed',
    );
  const loaded = loadKubeconfig(inRootfs(kubeconfig));
  const requests = createMetrics();
  const client = connect({
    ...loaded,
    userAgent: `kube-proxy/${KUBERNETES_VERSION}`,
    observer: restClientMetrics(requests),
  });
  return {
    requests,
    apiPort: Number(new URL(loaded.server).port || HTTPS_PORT),
    informers: new InformerFactory({ client, clock, random: new SystemRandom(), logger }),
    events: new SeriesRecorder({
      client,
      controller: 'kube-proxy',
      host: nodeName,
      clock,
      logger,
    }),
  };
}

/** kube-proxy's parts; what needs the node's address starts when the node has been seen. */
class KubeProxy {
  private readonly sink: DataplaneClient;
  private readonly metrics: ProxyMetrics;
  private readonly programmer: Programmer;
  private readonly policies: PolicySync;
  private readonly healthChecks: HealthCheckNodePorts;
  private readonly health: HealthServers;
  private settings: ProxySettings;
  private facts: NodeFacts | undefined;
  private readonly reconciler: ServiceReconciler;

  constructor(
    private readonly config: KubeProxyConfiguration,
    private readonly flags: KubeProxyFlags,
    private readonly place: { nodeName: string; clock: Clock; logger: Logger },
    private readonly cluster: Cluster,
    /** Ends kube-proxy: it cannot go on. */
    private readonly fail: (error: unknown) => void,
  ) {
    const { nodeName: node, clock, logger } = place;
    this.settings = announce(config, logger);
    this.sink = new DataplaneClient(flags.dataplane.slice('unix://'.length));
    this.metrics = new ProxyMetrics(
      clock,
      async () => (await this.sink.view()).filter((view) => view.node === node),
      () => familiesOf(this.facts),
      cluster.requests,
    );
    const { sink, metrics } = this;
    this.policies = new PolicySync({
      ...place,
      ...cluster,
      sink,
      rules: () => this.programmer.rules,
    });
    const observer = {
      queued: () => {
        metrics.queued();
        this.policies.servicesChanged();
      },
      programmed: metrics.programmed.bind(metrics),
      failed: metrics.failed.bind(metrics),
    };
    this.programmer = new Programmer({ node, sink, clock, logger, observer });
    const state = {
      mode: () => this.settings.mode,
      waitingMs: () => this.programmer.waitingMs,
      lastUpdated: () => this.programmer.lastUpdated,
      isNodeEligible: () => this.facts?.isEligible ?? true,
      families: () => familiesOf(this.facts),
      metrics,
      clock,
    };
    this.healthChecks = new HealthCheckNodePorts({
      isProxyHealthy: () => isHealthy(state),
      nodeName: node,
      events: cluster.events,
      logger,
    });
    this.health = new HealthServers(config, state, logger);
    this.reconciler = this.createReconciler();
  }

  /** Runs until the signal aborts; the rules stay in force in the dataplane. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, nodeName } = this.place;
    const definition = serviceDefinition(nodeName);
    const { informers } = this.cluster;
    const transport = new WatchTransport({
      definitions: [definition],
      whileLeading: leadAlways,
      informers,
      fence: new WriteFence(clock),
      clock,
      logger,
    });
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(
      KubeProxyModule.with(this.reconciler, definition.name),
      { strategy: transport, logger: false, abortOnError: false },
    );
    app.useGlobalFilters(new ReconcileErrorFilter());
    const programming = this.programmer.start(signal);
    const watching = this.watchConfig(signal);
    const policing = this.policies.start(signal);
    await app.listen();
    if (!signal.aborted) await once(signal, 'abort');
    await app.close();
    this.health.close();
    this.healthChecks.close();
    await Promise.all([programming, watching, policing]);
    await this.cluster.events.flush();
  }

  private createReconciler(): ServiceReconciler {
    const { informers, events, apiPort } = this.cluster;
    const { nodeName } = this.place;
    const changed = (service: string): void => {
      this.reconciler.reconsider(service);
    };
    const slices = informers.informer(resources.endpointslices, SERVED);
    slices.addIndex(BY_SERVICE, (slice) => {
      const name = slice.metadata.labels?.[SERVICE_NAME];
      return name ? [`${slice.metadata.namespace}/${name}`] : [];
    });
    return new ServiceReconciler({
      nodeName,
      settings: this.settings,
      services: informers.informer(resources.services, SERVED).lister,
      slices: slices.lister,
      nodes: informers.informer(resources.nodes, nodeScope(nodeName)).lister,
      programmer: this.programmer,
      healthChecks: this.healthChecks,
      hosts: new HostBackends({ informers, apiPort, changed }),
      events,
      hostAddresses: hostAddresses(),
      reachablePort: (port) => reachablePort(port),
      nodeSeen: (facts) => {
        this.nodeSeen(facts);
      },
      changed: (kind, found) => {
        this.metrics.changed(kind, found);
      },
      local: (service, without) => {
        this.metrics.local(service, without);
      },
    });
  }

  private nodeSeen(facts: NodeFacts): void {
    const isFirst = this.facts === undefined;
    this.facts = facts;
    if (isFirst) this.health.start(this.ownAddress(facts)).catch(this.fail);
  }

  /** Where servers listen that name no address: bindAddress, where it is one, else the node's own. */
  private ownAddress({ internal }: NodeFacts): string {
    const { bindAddress = '' } = this.config;
    return ['', '0.0.0.0', '::'].includes(bindAddress) ? (internal[0] ?? '') : bindAddress;
  }

  private async watchConfig(signal: AbortSignal): Promise<void> {
    if (!this.flags.watchConfig || this.flags.config === '') return;
    const { clock, logger } = this.place;
    const changed = (config: KubeProxyConfiguration): void => {
      this.settings = announce(config, logger);
      this.reconciler.apply(this.settings);
    };
    const { config: current, flags } = this;
    await watchConfiguration({ path: flags.config, current, clock, logger, changed }, signal);
  }
}

/** Runs kube-proxy until the signal aborts. Its rules stay in force in the dataplane. */
export async function serve(
  flags: KubeProxyFlags,
  { signal, clock = new SystemClock() }: ComponentContext,
): Promise<void> {
  const logger = new KlogLogger('kube-proxy', clock);
  const config = readConfiguration(flags.config);
  setOomScore(config.oomScoreAdj, logger);
  const nodeName = flags.hostnameOverride || config.hostnameOverride || hostname();
  logger.info('Starting kube-proxy', { version: KUBERNETES_VERSION, node: nodeName });
  const place = { nodeName, clock, logger };
  const cluster = connectTo(flags.kubeconfig ?? config.clientConnection?.kubeconfig, place);
  // k8s cmd/kube-proxy/app/server.go:Run, which knows no more of the node than its name
  cluster.events.report({
    regarding: { kind: 'Node', name: nodeName, uid: nodeName },
    type: 'Normal',
    reason: 'Starting',
    action: 'StartKubeProxy',
    note: '',
  });
  const failed = new AbortController();
  const proxy = new KubeProxy(config, flags, place, cluster, (error) => {
    failed.abort(error);
  });
  await proxy.run(AbortSignal.any([signal, failed.signal]));
  if (failed.signal.aborted) throw failed.signal.reason;
}
