import { loadKubeconfig } from '@orrery/client';
import { ConfigError } from '@orrery/component';
import type { TestMethod } from './protocol.js';
import { toTestClusterOptions } from './test-cluster-options.js';
import type { TestClusterOptions } from './test-cluster-options.js';
import { Spares } from './spares.js';
import { TestCluster, preload } from './test-cluster.js';
import { TestPlaces } from './test-places.js';
import { TestSites } from './test-sites.js';
import type { SharedEtcd } from './test-sites.js';

export interface TestClustersPlace {
  readonly base: string;
  readonly componentDir: string;
  readonly etcd: Promise<SharedEtcd>;
}

/** What a test is told of its new cluster. */
export interface CreatedCluster {
  readonly cluster: string;
  readonly server: string;
  /** Path of the file. */
  readonly kubeconfig: string;
  /** PEM: the authority, and the administrator's certificate and key. */
  readonly credentials: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
  };
}

interface NumberedCluster {
  readonly id: string;
  readonly cluster: TestCluster;
}

/** The clusters of one test server. */
export class TestClusters {
  private readonly clusters = new Map<string, TestCluster>();
  private readonly spares = new Spares<NumberedCluster>(({ cluster }) => cluster.stop());
  private readonly places: TestPlaces;
  private readonly sites: TestSites;
  private created = 0;

  constructor(place: TestClustersPlace) {
    this.places = new TestPlaces(place.base);
    this.sites = new TestSites({ ...place, places: this.places });
  }

  /** What one test may ask for; its clusters end with it. */
  session(): { readonly methods: ReadonlyMap<string, TestMethod>; end(): Promise<void> } {
    const own = new Set<string>();
    const create: TestMethod = async (params) => {
      const made = await this.create(params);
      own.add(made.cluster);
      return made;
    };
    return {
      methods: new Map(Object.entries({ ...this.methods(), create })),
      end: async () => {
        await Promise.all([...own].map((cluster) => this.stopOne({ cluster })));
      },
    };
  }

  private methods(): Readonly<Record<string, TestMethod>> {
    return {
      stop: (params) => this.stopOne(params),
      step: async (params) => {
        const { ms } = params;
        if (typeof ms !== 'number' || !(ms >= 0) || !Number.isFinite(ms))
          throw new ConfigError('clock.step takes a duration of zero or more');
        const { clock } = this.find(params);
        await clock.step(ms);
        return { now: clock.now() };
      },
      now: (params) => Promise.resolve({ now: this.find(params).clock.now() }),
    };
  }

  async stop(): Promise<void> {
    await this.spares.stop();
    await Promise.all([...this.clusters.values()].map((cluster) => cluster.stop()));
    this.clusters.clear();
    await this.sites.stop();
    await this.places.stop();
  }

  private find({ cluster: id }: Readonly<Record<string, unknown>>): TestCluster {
    const cluster = this.clusters.get(String(id));
    if (!cluster) throw new ConfigError(`this cluster has been stopped`);
    return cluster;
  }

  private async create(params: Readonly<Record<string, unknown>>): Promise<CreatedCluster> {
    const options = toTestClusterOptions(params);
    const { id, cluster } = await this.spares.take(JSON.stringify(options), () =>
      this.start(options),
    );
    this.clusters.set(id, cluster);
    const { server, files } = cluster;
    const { ca, cert, key } = loadKubeconfig(files.adminConf);
    return {
      cluster: id,
      server,
      kubeconfig: files.adminConf,
      credentials: { ca, cert, key },
    };
  }

  private async start(options: TestClusterOptions): Promise<NumberedCluster> {
    const id = String((this.created += 1));
    preload(options);
    const site = await this.sites.take(options);
    const cluster = await TestCluster.start(site, this.places, options);
    await site.remember();
    return { id, cluster };
  }

  /** Stopping twice is stopping once. */
  private async stopOne(params: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = String(params['cluster']);
    const cluster = this.clusters.get(id);
    this.clusters.delete(id);
    await cluster?.stop();
    return {};
  }
}
