import type { KubeObject } from '@orrery/apimachinery';
import { isStorageError } from '@orrery/storage';
import { ResourceStore } from '@orrery/registry';
import type { StoreDeps } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';
import { ownWrite } from '../rest/field-manager.js';

/** A replica that has not renewed for this long is taken from the Endpoints (k8s pkg/controlplane/reconcilers/lease.go). */
const LEASE_SECONDS = 15;
const RENEW_MS = 10_000;
/** After a failure. */
const RETRY_MS = 1000;
const CONSISTENT = { freshness: { kind: 'consistent' } } as const;

/** Keeps the Endpoints and the EndpointSlice of the kubernetes Service at the addresses of the live replicas. */
export class EndpointReconciler {
  private readonly own: StoreDeps;
  private hasLeft = false;
  private hasFailed = false;

  constructor(
    private readonly services: ServerServices,
    private readonly deps: StoreDeps,
    private readonly address: string,
  ) {
    // Control-plane addresses of a loopback cluster lie outside its pod CIDR, yet must be legal here.
    this.own = { ...deps, podCidr: `${address}/32` };
  }

  /** Renews and reconciles again and again after the first time, until the server stops. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.services;
    for (;;) {
      await clock.sleep(this.hasFailed ? RETRY_MS : RENEW_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.attempt();
    }
  }

  /** Once. A failure is logged, and does not keep the server from being ready (k8s pkg/controlplane/controller/kubernetesservice). */
  async attempt(): Promise<void> {
    try {
      await this.reconcile();
      this.hasFailed = false;
    } catch (error) {
      this.hasFailed = true;
      this.services.logger.warn('cannot reconcile the kubernetes endpoints', {
        err: String(error),
      });
    }
  }

  private async reconcile(): Promise<void> {
    if (this.hasLeft) return;
    await this.renew();
    const { signal } = this.services;
    await this.write(await this.alive(signal), signal);
  }

  /** Takes this replica out of the Endpoints; the last one stays, as upstream refuses to erase them all. */
  async leave(signal: AbortSignal): Promise<void> {
    this.hasLeft = true;
    const { storage, logger } = this.services;
    try {
      const entry = await storage.get(this.leaseKey, { ...CONSISTENT, signal });
      if (entry) await storage.delete(entry.key, entry.revision, { signal });
      const others = await this.alive(signal);
      if (others.length > 0) await this.write(others, signal);
    } catch (error) {
      logger.warn('cannot leave the kubernetes endpoints', { err: String(error) });
    }
  }

  private get leaseKey(): string {
    return `${this.deps.keyPrefix}masterleases/${this.address}`;
  }

  private async write(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    // The own lease has run out meanwhile (k8s 1.20.2 pkg/controlplane/reconcilers/lease.go:doReconcile).
    if (addresses.length === 0)
      throw new Error(
        'no API server IP addresses were listed in storage, refusing to erase all endpoints for the kubernetes Service',
      );
    await Promise.all([this.writeEndpoints(addresses, signal), this.writeSlice(addresses, signal)]);
  }

  private async renew(): Promise<void> {
    const { storage } = this.services;
    const key = this.leaseKey;
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

  private async alive(signal: AbortSignal): Promise<string[]> {
    const prefix = `${this.deps.keyPrefix}masterleases/`;
    const list = await this.services.storage.list(prefix, { ...CONSISTENT, signal });
    return list.entries.map(({ key }) => key.slice(key.lastIndexOf('/') + 1)).sort();
  }

  private async put(
    plural: { readonly group: string; readonly resource: string },
    object: KubeObject,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.services;
    const { kind } = this.services.store(plural.group, 'v1', plural.resource);
    await new ResourceStore(kind, this.own).update(
      (current) => ({
        ...object,
        metadata: { ...(current ? structuredClone(current.metadata) : {}), ...object.metadata },
      }),
      {
        ...ownWrite({ clock, signal }, kind),
        namespace: 'default',
        name: 'kubernetes',
        createWhenAbsent: true,
      },
    );
  }

  private async writeEndpoints(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const port = this.services.options.securePort;
    const object = {
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
    };
    await this.put({ group: '', resource: 'endpoints' }, object, signal);
  }

  private async writeSlice(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const port = this.services.options.securePort;
    const object = {
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': 'kubernetes' },
      },
      addressType: addresses.some((ip) => ip.includes(':')) ? 'IPv6' : 'IPv4',
      endpoints: addresses.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    };
    await this.put({ group: 'discovery.k8s.io', resource: 'endpointslices' }, object, signal);
  }
}
