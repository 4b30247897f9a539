import { StatusError } from '@orrery/apimachinery';
import type { Status } from '@orrery/apimachinery';
import { connect, loadKubeconfig } from '@orrery/client';
import type { KubeClient } from '@orrery/client';

/** A pin that keeps a moment. */
export interface PinView {
  readonly id: string;
  readonly until?: string;
}

export interface MomentView {
  readonly revision: number;
  readonly time?: string;
  readonly pin?: PinView;
}

export interface HistoryView {
  readonly oldest: MomentView;
  readonly newest: MomentView;
  readonly retention: string;
}

/** `/at/` of the cluster behind a context. */
export class PastServer {
  private readonly client: KubeClient;

  /** `base`: the server's URL without what leads into the past. */
  constructor(kubeconfig: string, context: string, base: string) {
    this.client = connect({ ...loadKubeconfig(kubeconfig, { context }), server: base });
  }

  history(): Promise<HistoryView> {
    return this.ask('GET', '/at/');
  }

  /** Which revision a moment is. */
  find(moment: string): Promise<MomentView> {
    return this.ask('GET', `/at/${encodeURIComponent(moment)}`);
  }

  /** Keeps the moment for a while; `pin` renews an earlier one. */
  pin(revision: number, duration: string, pin?: string): Promise<MomentView> {
    const renewed = pin === undefined ? '' : `&pin=${pin}`;
    return this.ask('POST', `/at/${revision}?for=${encodeURIComponent(duration)}${renewed}`);
  }

  release(revision: number, pin: string): Promise<unknown> {
    return this.ask('DELETE', `/at/${revision}?pin=${encodeURIComponent(pin)}`);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<T> {
    const { code, body } = await this.client.raw(path, undefined, { method });
    if (code < 300) return JSON.parse(body) as T;
    throw toStatusError(code, body);
  }
}

function toStatusError(code: number, body: string): StatusError {
  try {
    const status = JSON.parse(body) as Status;
    if (status.kind === 'Status') return StatusError.fromStatus(status);
  } catch {
    // Another server, or a proxy: what it said is all there is.
  }
  return new StatusError(code, 'Unknown', body.trim());
}
