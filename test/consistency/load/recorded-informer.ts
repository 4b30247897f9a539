import type { HistoryRecorder, InformerStep, Labels, ObjectVersion } from '@orrery/checker';
import { resources } from '@orrery/api';
import type { ConfigMap } from '@orrery/api';
import type { KubeClient, WatchEvent } from '@orrery/client';
import { connect } from '@orrery/client';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import { SharedInformer } from '@orrery/informers';
import { eventually } from '@orrery/testkit';
import { toVersion } from './config-map.js';

export interface InformerSpec {
  readonly name: string;
  readonly scope: string;
  readonly namespace?: string;
  readonly selector?: Labels;
}

export const INFORMERS: readonly InformerSpec[] = [
  { name: 'i1', scope: 'configmaps' },
  { name: 'i2', scope: 'configmaps/ns1', namespace: 'ns1' },
  { name: 'i3', scope: 'configmaps', selector: { tier: 'a' } },
];

const clock = new SystemClock();

/** The informer that components use, with every step of its store noted. */
class NotingInformer extends SharedInformer<ConfigMap> {
  readonly steps: InformerStep[] = [];

  override replace(items: readonly ConfigMap[], resourceVersion: string): void {
    const reason = this.steps.length === 0 ? 'start' : 'relist';
    const versions = items.flatMap((item) => toVersion(item) ?? []);
    this.steps.push({ type: 'replace', reason, rv: Number(resourceVersion), items: versions });
    super.replace(items, resourceVersion);
  }

  override apply(event: WatchEvent<ConfigMap>): void {
    const object = event.type === 'BOOKMARK' ? undefined : toVersion(event.object);
    if (event.type === 'BOOKMARK')
      this.steps.push({ type: 'bookmark', rv: Number(event.resourceVersion) });
    else if (object) this.steps.push({ type: 'change', change: event.type, object });
    super.apply(event);
  }
}

/** One informer of one API server, recorded. */
export class RecordedInformer {
  private readonly client: KubeClient;
  private readonly informer: NotingInformer;
  private readonly stop = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly spec: InformerSpec,
    server: string,
  ) {
    this.client = connect({ server, insecureSkipTlsVerify: true, userAgent: spec.name });
    const { namespace, selector } = spec;
    this.informer = new NotingInformer({
      client: this.client.resource(resources.configmaps),
      scope: {
        ...(namespace === undefined ? {} : { namespace }),
        ...(selector ? { labelSelector: `tier=${selector['tier']}` } : {}),
      },
      clock,
      random: new SystemRandom(),
      logger: silentLogger,
    });
  }

  start(): void {
    this.running = this.informer.start(this.stop.signal);
  }

  /** The revision that the store shows. */
  get revision(): number {
    return Number(this.informer.resourceVersion);
  }

  /** Resolves with whether the store has reached the revision within the time. */
  reach(revision: number, timeoutMs: number): Promise<boolean> {
    return eventually(() => this.revision >= revision, { timeoutMs, intervalMs: 5 }).catch(
      () => false,
    );
  }

  /** Records what it did, against a LIST of the same scope. */
  record(
    recorder: HistoryRecorder,
    list: { readonly rv: number; readonly items: readonly ObjectVersion[] },
  ): void {
    const { name, scope, selector } = this.spec;
    const store = this.informer.lister.list().flatMap((object) => toVersion(object) ?? []);
    recorder.informer({
      client: name,
      scope,
      ...(selector ? { selector } : {}),
      steps: this.informer.steps,
      store,
      list,
    });
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.running?.catch(() => undefined);
    await this.client.close();
  }
}
