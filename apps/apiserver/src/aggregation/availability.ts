import { isConflict, isNotFound } from '@orrery/apimachinery';
import type { APIService, APIServiceCondition, EndpointSlice, Service } from '@orrery/api';
import { toTime } from '@orrery/component';
import type { Metrics } from '@orrery/component';
import type { ServerServices } from '../extensions.js';
import { ownWrite } from '../rest/field-manager.js';
import { isAvailable } from './api-services.js';
import type { ApiServices, RemoteApi } from './api-services.js';
import type { ExtensionServers } from './extension-server.js';
import { AGGREGATOR, remoteUserHeaders } from './extension-server.js';

type Verdict = Pick<APIServiceCondition, 'status' | 'reason' | 'message'>;

const LOOK_MS = 500;
/** A server that answers is asked again after this time, one that does not after a growing time up to it. */
const RESYNC_MS = 30_000;
const FIRST_RETRY_MS = 1000;
const DISCOVERY_MS = 5000;

const PASSED: Verdict = { status: 'True', reason: 'Passed', message: 'all checks passed' };
const failed = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });

/** The APIService with this verdict as its condition Available; the time changes with the status. */
function withVerdict(service: APIService, verdict: Verdict, now: string): APIService {
  const next = structuredClone(service);
  const conditions = next.status?.conditions ?? [];
  const old = conditions.find(({ type }) => type === 'Available');
  const lastTransitionTime =
    old?.status === verdict.status && old.lastTransitionTime ? old.lastTransitionTime : now;
  const made = { type: 'Available', lastTransitionTime, ...verdict };
  next.status = {
    ...next.status,
    conditions: [...conditions.filter(({ type }) => type !== 'Available'), made],
  };
  return next;
}

const sameVerdict = ({ status }: APIService, { status: is, reason, message }: Verdict): boolean =>
  (status?.conditions ?? []).some(
    (one) =>
      one.type === 'Available' &&
      one.status === is &&
      one.reason === reason &&
      one.message === message,
  );

interface Watched {
  /** Of the APIService when it was looked at last. */
  resourceVersion: string;
  nextAt: number;
  retryMs: number;
}

/** When to look again after this verdict. */
function nextLook(
  resourceVersion: string,
  now: number,
  { status }: Verdict,
  known: Watched | undefined,
): Watched {
  if (status === 'True')
    return { resourceVersion, nextAt: now + RESYNC_MS, retryMs: FIRST_RETRY_MS };
  const retryMs = known?.retryMs ?? FIRST_RETRY_MS;
  return { resourceVersion, nextAt: now + retryMs, retryMs: Math.min(RESYNC_MS, retryMs * 2) };
}

/** Tells which APIServices are not available; the counter is of those that have become so (same place, status/metrics). */
function measureAvailability(
  metrics: Metrics,
  apis: ApiServices,
): { readonly inc: (labels: { name: string; reason: string }) => void } {
  const name = 'aggregator_unavailable_apiservice';
  metrics.gauge({
    name,
    help: 'Whether an APIService is not available: 1 = it is not.',
    labels: ['name'],
    collect: (gauge) => {
      gauge.reset();
      for (const service of apis.all())
        gauge.set({ name: service.metadata.name ?? '' }, isAvailable(service) ? 0 : 1);
    },
  });
  return metrics.counter({
    name: `${name}_total`,
    help: 'How often APIServices became unavailable, by reason.',
    labels: ['name', 'reason'],
  });
}

/** Keeps the condition Available of APIServices that others serve (k8s kube-aggregator pkg/controllers/status/remote). */
export class AvailabilityController {
  private readonly watched = new Map<string, Watched>();
  private readonly lost;

  constructor(
    private readonly services: ServerServices,
    private readonly apis: ApiServices,
    private readonly servers: ExtensionServers,
  ) {
    this.lost = measureAvailability(services.metrics, apis);
  }

  /** Looks at them until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.services;
    while (!signal.aborted) {
      await Promise.all(
        this.apis.remote().map((remote) =>
          this.look(remote).catch((error: unknown) => {
            if (!signal.aborted)
              logger.warn('availability of an API is not known', {
                key: remote.name,
                reason: error instanceof Error ? error.message : String(error),
              });
          }),
        ),
      );
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }

  private async look(remote: RemoteApi): Promise<void> {
    const { clock } = this.services;
    const known = this.watched.get(remote.name);
    const current = [...this.apis.all()].find(({ metadata }) => metadata.name === remote.name);
    const resourceVersion = current?.metadata.resourceVersion ?? '';
    const now = clock.monotonic();
    if (known && known.resourceVersion === resourceVersion && now < known.nextAt) return;
    const verdict = await this.judge(remote);
    this.watched.set(remote.name, nextLook(resourceVersion, now, verdict, known));
    if (current && !sameVerdict(current, verdict)) await this.write(current, verdict);
  }

  private async write(service: APIService, verdict: Verdict): Promise<void> {
    const { clock } = this.services;
    const store = this.services.store('apiregistration.k8s.io', 'v1', 'apiservices');
    const name = service.metadata.name ?? '';
    const time = toTime(clock.now());
    try {
      const { representation } = await store.update(
        (stored) => withVerdict((stored ?? service) as APIService, verdict, time),
        {
          ...ownWrite(this.services, store.kind, { subresource: 'status' }),
          name,
          subresource: 'status',
          strategy: {},
        },
      );
      const { reason = '' } = verdict;
      if (isAvailable(service) && verdict.status === 'False') this.lost.inc({ name, reason });
      const entry = this.watched.get(name);
      if (entry) entry.resourceVersion = representation.object.metadata.resourceVersion ?? '';
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }

  private async judge(remote: RemoteApi): Promise<Verdict> {
    const { namespace, name, port } = remote.service;
    const what = `service/${name} in ${JSON.stringify(namespace)}`;
    let service: Service;
    try {
      service = (await this.services.store('', 'v1', 'services').get(namespace, name))
        .object as Service;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return failed('ServiceNotFound', `${what} is not present`);
    }
    if ((service.spec?.type ?? 'ClusterIP') === 'ClusterIP') {
      const found = (service.spec?.ports ?? []).find((one) => one.port === port);
      if (!found) return failed('ServicePortError', `${what} is not listening on port ${port}`);
      const slices = await this.slicesOf(namespace, name);
      if (slices.length === 0)
        return failed('EndpointsNotFound', `cannot find endpointslices for ${what}`);
      const portName = found.name ?? '';
      if (!slices.some((slice) => hasEndpoint(slice, portName)))
        return failed(
          'MissingEndpoints',
          `endpointslices for ${what} have no addresses with port name ${JSON.stringify(portName)}`,
        );
    }
    return this.ask(remote);
  }

  private async slicesOf(namespace: string, service: string): Promise<EndpointSlice[]> {
    const { items } = await this.services.store('discovery.k8s.io', 'v1', 'endpointslices').list({
      namespace,
      resourceVersion: '0',
      resourceVersionMatch: '',
      limit: 0,
      continueToken: '',
    });
    return items
      .map(({ object }) => object as EndpointSlice)
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service);
  }

  /** Asks the server for the discovery of its group version. */
  private async ask(remote: RemoteApi): Promise<Verdict> {
    const path =
      remote.group === '' ? `/api/${remote.version}` : `/apis/${remote.group}/${remote.version}`;
    const signal = AbortSignal.any([this.services.signal, AbortSignal.timeout(DISCOVERY_MS)]);
    let url = path;
    try {
      const backend = await this.servers.locate(remote);
      url = `https://${backend.address}:${backend.port}${path}`;
      const answer = await this.servers.exchange(backend, {
        method: 'GET',
        path,
        headers: { ...remoteUserHeaders(AGGREGATOR), host: `${backend.address}:${backend.port}` },
        signal,
      });
      answer.destroy();
      const status = answer.statusCode ?? 0;
      if (status >= 200 && status < 300) return PASSED;
      return failed(
        'FailedDiscoveryCheck',
        `failing or missing response from ${url}: bad status from ${url}: ${status}`,
      );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return failed(
        'FailedDiscoveryCheck',
        `failing or missing response from ${url}: Get "${url}": ${why}`,
      );
    }
  }
}

const hasEndpoint = ({ endpoints, ports }: EndpointSlice, portName: string): boolean =>
  (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false) &&
  (ports ?? []).some(({ name, port }) => (name ?? '') === portName && port !== undefined);
