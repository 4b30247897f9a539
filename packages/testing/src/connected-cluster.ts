import { ClusterView } from './cluster-view.js';
import { toMs } from './duration.js';
import type { Duration } from './duration.js';
import { Rest } from './rest.js';
import type { Credentials } from './rest.js';

/** Which requests or watches a fault is about; what it does not name matches all. */
export interface FaultMatch {
  readonly verbs?: readonly string[];
  readonly groups?: readonly string[];
  readonly resources?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly names?: readonly string[];
  readonly users?: readonly string[];
  readonly userAgent?: string;
}

/** Faults of the API server, on purpose. */
export class ClusterFaults {
  constructor(private readonly rest: Rest) {}

  /** Requests that match fail, `times` of them or until `clear`; nothing of them is done. */
  async fail(
    match: FaultMatch,
    how: { readonly code: number; readonly reason?: string; readonly message?: string },
    times?: number,
  ): Promise<void> {
    await this.add({ ...match, fail: how, ...(times === undefined ? {} : { times }) });
  }

  /** Requests that match wait first. */
  async delay(match: FaultMatch, by: Duration, times?: number): Promise<void> {
    await this.add({ ...match, delayMs: toMs(by), ...(times === undefined ? {} : { times }) });
  }

  /** Cuts the open watches that match; answers how many there were. */
  dropWatches(match: FaultMatch = {}): Promise<number> {
    return this.strike({ ...match, fault: 'drop' });
  }

  /** Ends them with 410 Expired, as a compaction does. */
  expireWatches(match: FaultMatch = {}): Promise<number> {
    return this.strike({ ...match, fault: 'expire' });
  }

  async clear(): Promise<void> {
    await this.rest.json('/faults', { method: 'DELETE' });
  }

  private async add(rule: object): Promise<void> {
    await this.rest.json('/faults', { method: 'POST', body: rule });
  }

  private async strike(fault: object): Promise<number> {
    const { watches } = await this.rest.json<{ watches: number }>('/faults/watches', {
      method: 'POST',
      body: fault,
    });
    return watches;
  }
}

/** A fork of a cluster. */
export class Fork extends ClusterView {
  constructor(
    private readonly parent: Rest,
    readonly name: string,
  ) {
    super(parent.below(`/forks/${name}`));
  }

  async remove(): Promise<void> {
    await this.parent.json(`/forks/${this.name}`, { method: 'DELETE' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

/** A cluster at an address, whoever runs it. */
export class ConnectedCluster extends ClusterView {
  readonly faults: ClusterFaults;

  constructor(server: string, credentials: Credentials) {
    super(Rest.connect(server, credentials));
    this.faults = new ClusterFaults(this.rest);
  }

  /** The cluster as it was: a resourceVersion, a time (RFC 3339), or how long ago (`-5m`). Reading alone. */
  at(moment: string | number): ClusterView {
    return new ClusterView(this.rest.below(`/at/${encodeURIComponent(String(moment))}`));
  }

  /**
   * A writable copy of the cluster as it is, or as it was at `moment`, that the cluster never sees: for a "what if". Nothing
   * runs on it but the API.
   */
  async fork(name?: string, moment?: string | number): Promise<Fork> {
    const made = await this.request('/forks', {
      method: 'POST',
      body: { name, at: moment === undefined ? undefined : String(moment) },
    });
    return new Fork(this.rest, String(made['metadata'].name));
  }

  /** Closes the connections; the cluster goes on. */
  close(): void {
    this.rest.close();
  }
}
