import type { Cancel, Clock, Logger } from '@orrery/component';
import type { HookPoster, HookTarget } from '../webhooks/https-post.js';
import type { AuditBackend, AuditEvent } from './audit-event.js';

export interface BatchOptions {
  readonly maxWaitMs: number;
  readonly maxSize: number;
  /** Events that wait at most; more are dropped and counted (k8s apiserver plugin/pkg/audit/buffered). */
  readonly bufferSize: number;
  /** Before a batch is sent again for the first time. */
  readonly initialBackoffMs: number;
}

const TIMEOUT_MS = 30_000;
/** Attempts to send a batch, and by how much longer each waits (k8s apiserver pkg/util/webhook/webhook.go:DefaultRetryBackoffWithInitialDelay). */
const ATTEMPTS = 5;
const FACTOR = 1.5;

/** Sends events in batches, as EventLists. */
export class WebhookBackend implements AuditBackend {
  private waiting: AuditEvent[] = [];
  private dropped = 0;
  private cancel: Cancel | undefined;
  private sending: Promise<void> = Promise.resolve();
  private readonly ended = new AbortController();

  constructor(
    private readonly target: HookTarget,
    private readonly options: BatchOptions,
    private readonly deps: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly poster: HookPoster;
    },
  ) {}

  write(event: AuditEvent): void {
    if (this.waiting.length >= this.options.bufferSize) {
      this.dropped += 1;
      return;
    }
    this.waiting.push(event);
    if (this.waiting.length >= this.options.maxSize) this.flush();
    else
      this.cancel ??= this.deps.clock.after(this.options.maxWaitMs, () => {
        this.flush();
      });
  }

  async close(): Promise<void> {
    this.flush();
    this.ended.abort();
    await this.sending;
    this.deps.poster.close();
  }

  private flush(): void {
    this.cancel?.();
    this.cancel = undefined;
    const batch = this.waiting;
    this.waiting = [];
    if (batch.length > 0) this.sending = this.sending.then(() => this.send(batch));
  }

  private async send(items: readonly AuditEvent[]): Promise<void> {
    const { clock, logger, poster } = this.deps;
    const body = JSON.stringify({
      kind: 'EventList',
      apiVersion: 'audit.k8s.io/v1',
      metadata: {},
      items,
    });
    let failure = '';
    let waitMs = this.options.initialBackoffMs;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (attempt > 1) {
        if (this.ended.signal.aborted) break;
        await clock.sleep(waitMs, this.ended.signal).catch(() => undefined);
        waitMs *= FACTOR;
      }
      try {
        const { status } = await poster.post(this.target, { body, timeoutMs: TIMEOUT_MS });
        if (status >= 200 && status < 300) return;
        failure = `status ${status}`;
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
      }
    }
    this.dropped += items.length;
    logger.warn('audit events are lost', { count: this.dropped, reason: failure });
  }
}
