import type { HistoryRecorder } from '@orrery/checker';
import type { Random } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import type { StateCoverage } from '../report/state-coverage.js';
import { toPath, toVersions } from './config-map.js';
import type { Fence } from './fence.js';
import { HttpSession, field } from './http-session.js';
import { INFORMERS, RecordedInformer } from './recorded-informer.js';
import { RecordingWatcher, WATCHES } from './recording-watcher.js';

export interface ObserversOptions {
  readonly recorder: HistoryRecorder;
  readonly coverage: StateCoverage;
  readonly random: Random;
  readonly servers: readonly string[];
  readonly drainMs?: number;
}

const DRAIN_MS = 15_000;
const clock = new SystemClock();

/** Everybody who looks on in a history: watchers and informers. */
export class Observers {
  private readonly stop = new AbortController();
  private readonly watchers;
  private readonly informers;
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ObserversOptions) {
    const { servers } = options;
    this.watchers = WATCHES.map((spec) => ({
      spec,
      watcher: new RecordingWatcher({ ...options, spec, servers: () => servers }),
    }));
    this.informers = INFORMERS.map((spec, index) => ({
      spec,
      informer: new RecordedInformer(spec, servers[index % servers.length] ?? ''),
    }));
  }

  start(): void {
    for (const { informer } of this.informers) informer.start();
    this.running = Promise.all(this.watchers.map(({ watcher }) => watcher.run(this.stop.signal)));
  }

  /** For each informer, how long it takes from now until it has everything up to the revision; Infinity = longer than allowed. */
  async measureConvergence(revision: number, allowedMs: number): Promise<readonly number[]> {
    const from = clock.monotonic();
    return Promise.all(
      this.informers.map(async ({ informer }) =>
        (await informer.reach(revision, allowedMs)) ? clock.monotonic() - from : Infinity,
      ),
    );
  }

  /**
   * When nobody writes any more: waits until everybody has seen the fence, and records what they saw. Gives the names of
   * the watchers that never did.
   */
  async end(fence: Fence): Promise<readonly string[]> {
    const { drainMs = DRAIN_MS, recorder } = this.options;
    const draining = this.watchers.map(async ({ spec, watcher }) =>
      (await watcher.drain(fence.revisionFor(spec), drainMs)) ? [] : [spec.name],
    );
    const reaching = this.informers.map(({ spec, informer }) =>
      informer.reach(fence.revisionFor(spec), drainMs),
    );
    const stuck = (await Promise.all(draining)).flat();
    await Promise.all(reaching);
    this.stop.abort();
    await this.running;
    for (const { spec, informer } of this.informers)
      informer.record(recorder, await this.list(spec));
    return stuck;
  }

  /** Ends everybody, without a record. */
  async abort(): Promise<void> {
    this.stop.abort();
    await Promise.all([this.running, ...this.informers.map(({ informer }) => informer.end())]);
  }

  private async list({
    scope,
    selector,
  }: (typeof INFORMERS)[number]): Promise<{ rv: number; items: ReturnType<typeof toVersions> }> {
    const session = new HttpSession('harness');
    const server = this.options.servers[0] ?? '';
    const query: Record<string, string> = selector
      ? { labelSelector: `tier=${selector['tier']}` }
      : {};
    try {
      return await eventually(async () => {
        const { code, json } = await session.send({
          server,
          method: 'GET',
          path: toPath(scope),
          query,
        });
        if (code !== 200) throw new Error(`list ${scope}: ${code}`);
        const rv = Number(field(json, 'metadata', 'resourceVersion'));
        return { rv, items: toVersions(json) };
      });
    } finally {
      session.close();
    }
  }
}
