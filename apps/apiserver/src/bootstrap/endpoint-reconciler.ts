import type { KubeObject } from '@orrery/apimachinery';
import { isStorageError } from '@orrery/storage';
import { ResourceStore, systemContext } from '@orrery/registry';
import type { StoreDeps } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';

/** A replica that has not renewed for this long is taken from the Endpoints (k8s pkg/controlplane/reconcilers/lease.go). */
const LEASE_SECONDS = 15;
const RENEW_MS = 10_000;
const CONSISTENT = { freshness: { kind: 'consistent' } } as const;

/** Keeps the Endpoints and the EndpointSlice of the kubernetes Service at the addresses of the live replicas. */
export class EndpointReconciler {
  private readonly own: StoreDeps;

  constructor(
    private readonly services: ServerServices,
    private readonly deps: StoreDeps,
    private readonly address: string,
  ) {
    // Control-plane addresses of a loopback cluster lie outside its pod CIDR, yet must be legal here.
    this.own = { ...deps, podCidr: `${address}/32` };
  }

  /** Renews and reconciles until the server stops; then gives the address up. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.services;
    while (!signal.aborted) {
      try {
        await this.reconcile();
      } catch (error) {
        logger.warn('cannot reconcile the kubernetes endpoints', { err: String(error) });
      }
      await clock.sleep(RENEW_MS, signal).catch(() => undefined);
    }
  }

  async reconcile(): Promise<void> {
    await this.renew();
    const addresses = await this.alive();
    await this.writeEndpoints(addresses);
    await this.writeSlice(addresses);
  }

  private async renew(): Promise<void> {
    const { storage } = this.services;
    const key = `${this.deps.keyPrefix}masterleases/${this.address}`;
    const subsets = [{ addresses: [{ ip: this.address }] }];
    const value = Buffer.from(
      JSON.stringify({ kind: 'Endpoints', apiVersion: 'v1', metadata: {}, subsets }),
    );
    const options = { ttlSeconds: LEASE_SECONDS };
    const entry = await storage.get(key, CONSISTENT);
    try {
      if (entry) await storage.update(key, entry.revision, value, options);
      else await storage.create(key, value, options);
    } catch (error) {
      if (!isStorageError(error, 'conflict') && !isStorageError(error, 'exists')) throw error;
    }
  }

  private async alive(): Promise<string[]> {
    const list = await this.services.storage.list(
      `${this.deps.keyPrefix}masterleases/`,
      CONSISTENT,
    );
    return list.entries.map(({ key }) => key.slice(key.lastIndexOf('/') + 1)).sort();
  }

  private async put(
    plural: { readonly group: string; readonly resource: string },
    object: KubeObject,
  ): Promise<void> {
    const { clock, signal } = this.services;
    const { kind } = this.services.store(plural.group, 'v1', plural.resource);
    await new ResourceStore(kind, this.own).update(
      (current) => ({
        ...object,
        metadata: { ...(current ? structuredClone(current.metadata) : {}), ...object.metadata },
      }),
      {
        context: systemContext(clock, signal),
        namespace: 'default',
        name: 'kubernetes',
        createWhenAbsent: true,
      },
    );
  }

  private async writeEndpoints(addresses: readonly string[]): Promise<void> {
    const port = this.services.options.securePort;
    await this.put({ group: '', resource: 'endpoints' }, {
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
      },
      subsets: [
        {
          addresses: addresses.map((ip) => ({ ip })),
          ports: [{ name: 'https', port, protocol: 'TCP' }],
        },
      ],
    } as KubeObject);
  }

  private async writeSlice(addresses: readonly string[]): Promise<void> {
    const port = this.services.options.securePort;
    await this.put({ group: 'discovery.k8s.io', resource: 'endpointslices' }, {
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': 'kubernetes' },
      },
      addressType: 'IPv4',
      endpoints: addresses.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    } as KubeObject);
  }
}
