import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SystemClock } from '@orrery/component';
import { EtcdClient, fillKeyspace, readKeyspace } from '@orrery/storage';
import type { PlanInput } from '../cluster/plan.js';
import { API_PORT } from '../cluster/plan.js';
import { addressesOf, nodeName } from '../cluster/layout.js';
import { BootstrapCache, shapeOf } from './bootstrap-cache.js';
import type { OwnValues } from './bootstrap-cache.js';
import { testClusterPki } from './pki-cache.js';
import { Spares } from './spares.js';
import type { TestClusterOptions } from './test-cluster-options.js';
import type { TestPlace, TestPlaces } from './test-places.js';

/** The etcd that the clusters of one test server share, each with a keyspace of its own. */
export interface SharedEtcd {
  readonly endpoint: string;
}

/** What of a cluster can be there before it starts: addresses, a folder with its certificates, a part of etcd. */
export interface TestSite {
  readonly place: TestPlace;
  readonly input: PlanInput;
  /** https://host:port of its API. */
  readonly server: string;
  /** What its keys in etcd start with; ends in '/'. */
  readonly keyspace: string;
  /** Resolves when its keyspace is ready for it. */
  readonly etcd: Promise<SharedEtcd>;
  /** Keeps for later clusters what this one has written at its start; to be called when it is ready, before anybody uses it. */
  remember(): Promise<void>;
}

export interface TestSitesDeps {
  readonly places: TestPlaces;
  readonly componentDir: string;
  readonly etcd: Promise<SharedEtcd>;
}

/** The sites of one test server's clusters. One that is asked for again and again is made ahead. */
export class TestSites {
  /** By shape. */
  private readonly caches = new Map<string, BootstrapCache>();
  private readonly spares = new Spares<TestSite>(({ place }) =>
    this.deps.places.giveBack(place, false),
  );
  private client: Promise<EtcdClient> | undefined;
  private made = 0;

  constructor(private readonly deps: TestSitesDeps) {}

  take(options: TestClusterOptions): Promise<TestSite> {
    return this.spares.take(JSON.stringify(options), () => this.make(options));
  }

  async stop(): Promise<void> {
    await this.spares.stop();
    (await this.client)?.close();
  }

  private async make(options: TestClusterOptions): Promise<TestSite> {
    const place = await this.deps.places.take();
    try {
      return await this.prepare(place, options);
    } catch (error) {
      await this.deps.places.giveBack(place, false);
      throw error;
    }
  }

  private async prepare(place: TestPlace, options: TestClusterOptions): Promise<TestSite> {
    const input = this.planFor(place, options.nodes);
    const server = `https://${input.addresses.apiServer}:${API_PORT}`;
    const now = new SystemClock().now();
    await makeCertificates(input, server, now);
    const values = valuesOf(input, now);
    const cache = this.cache(shapeOf(options));
    const keyspace = `/clusters/${(this.made += 1)}/registry/`;
    const objects = cache.read(values);
    const etcd = this.fill(keyspace, objects ?? []);
    // Its failure is met by the API server's start.
    etcd.catch(() => undefined);
    const remember = async (): Promise<void> => {
      if (!objects) cache.write(await readKeyspace(await this.etcd(), keyspace), values);
    };
    return { place, input, server, keyspace, etcd, remember };
  }

  private planFor({ files, lease }: TestPlace, nodes: number): PlanInput {
    return {
      files,
      addresses: addressesOf(lease.block),
      etcdMembers: 1,
      nodes,
      grouping: 'grouped',
      standby: false,
      extraArgs: {},
      componentDir: this.deps.componentDir,
      nodeBinary: process.execPath,
    };
  }

  /** Most of the start of a cluster is writing roles: it gets those that an earlier one has written. */
  private async fill(
    keyspace: string,
    objects: Parameters<typeof fillKeyspace>[2],
  ): Promise<SharedEtcd> {
    await fillKeyspace(await this.etcd(), keyspace, objects);
    return this.deps.etcd;
  }

  private cache(shape: string): BootstrapCache {
    const known = this.caches.get(shape);
    const cache = known ?? new BootstrapCache(join(this.deps.componentDir, 'orrery.js'), shape);
    this.caches.set(shape, cache);
    return cache;
  }

  private etcd(): Promise<EtcdClient> {
    this.client ??= this.deps.etcd.then(
      ({ endpoint }) => new EtcdClient({ endpoints: [endpoint] }),
    );
    return this.client;
  }
}

async function makeCertificates(
  { files, addresses, nodes }: PlanInput,
  server: string,
  now: number,
): Promise<void> {
  await testClusterPki(
    {
      dir: files.dir,
      server,
      apiserverSans: { ips: [addresses.apiServer, addresses.kubernetesService, '127.0.0.1'] },
      nodes: Array.from({ length: nodes }, (_, i) => ({
        name: nodeName(i + 1),
        ips: [addresses.node(i + 1)],
      })),
      now,
    },
    addresses.block,
  );
}

const valuesOf = ({ files, addresses }: PlanInput, now: number): OwnValues => ({
  now,
  block: addresses.block,
  authorities: {
    client: readFileSync(files.pki('ca.crt'), 'utf8'),
    requestHeader: readFileSync(files.pki('front-proxy-ca.crt'), 'utf8'),
  },
});
