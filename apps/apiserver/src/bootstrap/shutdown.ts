import type { Server } from 'node:https';
import type { Clock, HealthCheck, Random } from '@orrery/component';
import { parseDuration } from '@orrery/component';
import type { ApiServerOptions } from '../config/options.js';
import { beforeRequests } from '../transport/before-requests.js';

/**
 * serving -> leaving (told to end, serves on for --shutdown-delay-duration) -> draining (new requests are turned away where
 * --shutdown-send-retry-after says so, watches end over --shutdown-watch-termination-grace-period)
 */
type Phase = 'serving' | 'leaving' | 'draining';

/** Paths that are answered to the end. */
const EXEMPT = /^\/(?:healthz|livez|readyz)(?:[/?]|$)/;
const TURNED_AWAY = 'The apiserver is shutting down, please try again later.\n';
const ROUND_MS = 20;

/** The end of the server up to the moment when it stops to listen (k8s apiserver pkg/server/genericapiserver.go:RunWithContext). */
export class Shutdown {
  private phase: Phase = 'serving';
  private running = 0;
  private readonly watches = new Set<AbortController>();

  constructor(
    private readonly options: ApiServerOptions,
    private readonly deps: { readonly clock: Clock; readonly random: Random },
  ) {}

  /** Part of /readyz: fails from the moment on that the server is told to end. */
  readonly check: HealthCheck = {
    name: 'shutdown',
    check: () => (this.phase === 'serving' ? undefined : 'process is shutting down'),
  };

  /** New requests are turned away. */
  get isDraining(): boolean {
    return this.phase === 'draining';
  }

  /** A watch that ends when `controller` aborts has begun; to be called when it has ended. */
  watching(controller: AbortController): () => void {
    this.watches.add(controller);
    return () => {
      this.watches.delete(controller);
    };
  }

  /** Follows the requests of a server, so that the last ones are waited for. */
  guard(server: Server): void {
    if (!this.options.shutdownSendRetryAfter) return;
    beforeRequests(server, (raw, response) => {
      if (this.phase === 'draining' && !EXEMPT.test(raw.url ?? '')) {
        const headers = { 'retry-after': '5', 'content-type': 'text/plain; charset=utf-8' };
        response.writeHead(
          429,
          raw.httpVersionMajor > 1 ? headers : { ...headers, connection: 'close' },
        );
        response.end(TURNED_AWAY);
        return true;
      }
      this.running += 1;
      response.once('close', () => {
        this.running -= 1;
      });
      return false;
    });
  }

  /** From the word to end to the moment when the server may stop to listen. `leave` tells the cluster. */
  async run(leave: () => Promise<void>): Promise<void> {
    const { options, deps } = this;
    const delayMs = parseDuration(options.shutdownDelayDuration) ?? 0;
    const watchMs = parseDuration(options.shutdownWatchTerminationGracePeriod) ?? 0;
    this.phase = 'leaving';
    await leave();
    if (delayMs > 0) await deps.clock.sleep(delayMs);
    this.phase = 'draining';
    if (watchMs > 0) await this.endWatches(watchMs);
    if (options.shutdownSendRetryAfter) {
      const limitMs = parseDuration(options.requestTimeout) ?? 60_000;
      await this.until(() => this.running <= this.watches.size, limitMs);
    }
  }

  /** Ends watches one by one, so that their clients do not come to another server all at once. */
  private async endWatches(graceMs: number): Promise<void> {
    const { clock, random } = this.deps;
    const cancels = [...this.watches].map((watch) =>
      clock.after(random.next() * graceMs, () => {
        watch.abort(new Error('the server is stopping'));
      }),
    );
    await this.until(() => this.watches.size === 0, graceMs);
    for (const cancel of cancels) cancel();
  }

  private async until(isTrue: () => boolean, limitMs: number): Promise<void> {
    const { clock } = this.deps;
    const end = clock.monotonic() + limitMs;
    while (!isTrue() && clock.monotonic() < end) await clock.sleep(ROUND_MS);
  }
}
