import { randomSuffix, parseDuration, toTime } from '@orrery/component';
import type { KubeObject } from '@orrery/apimachinery';
import { systemContext } from '@orrery/registry';
import { EtcdAdmin, History, Retention, largestInUse } from '@orrery/storage';
import type { EtcdStorage, Pin, RetentionNotice, Space } from '@orrery/storage';
import { etcdQuota } from '../config/etcd-quota.js';
import type { ServerServices } from '../extensions.js';
import type { RequestMetrics } from '../health/request-metrics.js';

const NAMESPACE = 'kube-system';

interface Told {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const nameOf = ({ id, owner, revision }: Pin): string =>
  `${owner || id} (pin ${id}, revision ${revision})`;

const percent = ({ inUse, quota }: Space): string => `${Math.round((100 * inUse) / quota)} %`;

/** What an operator should know of a notice; undefined where all is as it should be. */
export function tell(notice: RetentionNotice, retention: string): Told | undefined {
  switch (notice.kind) {
    case 'held':
      return {
        type: 'Normal',
        reason: 'HistoryHeld',
        message: `history older than ${retention} is kept: ${nameOf(notice.pin)} needs it`,
      };
    case 'expired':
      return {
        type: 'Warning',
        reason: 'HistoryPinExpired',
        message: `etcd is nearly full: ${nameOf(notice.pin)} no longer keeps history, and what reads there answers 410 from now on`,
      };
    case 'lost':
      return {
        type: 'Warning',
        reason: 'HistoryPinLost',
        message: `what ${nameOf(notice.pin)} kept is gone: etcd was compacted by somebody else, or restored`,
      };
    case 'full':
      return {
        type: 'Warning',
        reason: 'HistoryCannotShrink',
        message: `etcd uses ${percent(notice.space)} of its quota, and no history is left that could go: delete objects, or raise --quota-backend-bytes of etcd`,
      };
    case 'compacted':
      return notice.short
        ? {
            type: 'Warning',
            reason: 'HistoryShortened',
            message: `etcd is more than half full: history younger than ${retention} was let go, up to revision ${notice.revision}`,
          }
        : undefined;
    case 'ended':
      return undefined;
  }
}

/** Time for which the same thing is not told again by an event. */
const QUIET_MS = 600_000;

/** Keeps history by --history-retention and the room in etcd, and says what it does: log, events, metrics. */
export class HistoryKeeper {
  private readonly lastTold = new Map<string, number>();

  constructor(
    private readonly services: ServerServices,
    private readonly etcd: EtcdStorage,
    private readonly metrics: RequestMetrics,
  ) {}

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { options, logger } = this.services;
    const { client } = this.etcd;
    const admin = new EtcdAdmin(client);
    let quota: Promise<number> | undefined;
    const retention = new Retention({
      client,
      history: new History(this.etcd),
      retentionMs: parseDuration(options.historyRetention) ?? 0,
      intervalMs: parseDuration(options.etcdCompactionInterval) ?? 0,
      space: async () => ({
        inUse: largestInUse(await admin.statuses()),
        quota: await (quota ??= etcdQuota(options, logger)),
      }),
      notify: (notice) => this.notify(notice),
    });
    await retention.run(signal, (error) => {
      logger.warn('history was not compacted', { err: String(error) });
    });
  }

  private notify(notice: RetentionNotice): void {
    const { logger, options } = this.services;
    if (notice.kind === 'compacted') {
      this.metrics.metrics
        .gauge({
          name: 'orrery_history_floor_revision',
          help: 'Revision below which history may be gone.',
        })
        .set(notice.revision);
      logger.info('history compacted', { revision: notice.revision, short: notice.short });
    }
    if (notice.kind === 'expired') {
      this.metrics.metrics
        .counter({
          name: 'orrery_history_pins_expired_total',
          help: 'Pins that had to go since etcd was nearly full.',
        })
        .inc();
    }
    const told = tell(notice, options.historyRetention);
    if (!told) return;
    logger.warn('history', { reason: told.reason, note: told.message });
    void this.record(told, 'pin' in notice ? `${notice.kind} ${notice.pin.id}` : notice.kind);
  }

  /** An Event that `kubectl get events -n kube-system` shows. */
  private async record(told: Told, subject: string): Promise<void> {
    const { clock, logger, random, signal } = this.services;
    const now = clock.now();
    const last = this.lastTold.get(subject);
    if (last !== undefined && now - last < QUIET_MS) return;
    if (this.lastTold.size > 1000) this.lastTold.clear();
    this.lastTold.set(subject, now);
    const event = {
      metadata: { name: `history.${randomSuffix(random, 10)}`, namespace: NAMESPACE },
      // Named as if it lay in itself: events elsewhere than in `default` must be about what lies beside them.
      involvedObject: {
        kind: 'Namespace',
        apiVersion: 'v1',
        name: NAMESPACE,
        namespace: NAMESPACE,
      },
      ...told,
      source: { component: 'kube-apiserver' },
      firstTimestamp: toTime(now),
      lastTimestamp: toTime(now),
      count: 1,
    } as KubeObject;
    try {
      const context = systemContext(clock, signal);
      await this.services
        .store('', 'v1', 'events')
        .create(event, { context, namespace: NAMESPACE });
    } catch (error) {
      logger.warn('cannot record an event about history', { err: String(error) });
    }
  }
}
