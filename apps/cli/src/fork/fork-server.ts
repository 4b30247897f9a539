import { StatusError } from '@orrery/apimachinery';
import type { KubeObject, Status } from '@orrery/apimachinery';
import { connect, loadKubeconfig } from '@orrery/client';
import type { KubeClient } from '@orrery/client';

/** A fork as the API server tells of it. */
export interface ForkView {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly resourceVersion: string;
  };
  readonly spec: { readonly baseRevision: number };
  readonly status: { readonly user: string; readonly path: string };
}

export interface ChangeView {
  readonly type: 'added' | 'changed' | 'deleted';
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly before?: KubeObject;
  readonly after?: KubeObject;
}

export interface DiffView {
  readonly fork: string;
  readonly baseRevision: number;
  readonly against: string;
  readonly changes: readonly ChangeView[];
}

/** `/forks` of the cluster behind a context. */
export class ForkServer {
  private readonly client: KubeClient;

  /** `base`: the server's URL without what leads into the past or a fork. */
  constructor(kubeconfig: string, context: string, base: string) {
    this.client = connect({ ...loadKubeconfig(kubeconfig, { context }), server: base });
  }

  create(name: string | undefined, at: string): Promise<ForkView> {
    const wanted = { ...(name === undefined ? {} : { name }), ...(at === '' ? {} : { at }) };
    return this.ask('POST', '/forks', JSON.stringify(wanted));
  }

  get(name: string): Promise<ForkView> {
    return this.ask('GET', `/forks/${encodeURIComponent(name)}`);
  }

  async list(): Promise<readonly ForkView[]> {
    const { items } = await this.ask<{ items: ForkView[] }>('GET', '/forks');
    return items;
  }

  remove(name: string): Promise<unknown> {
    return this.ask('DELETE', `/forks/${encodeURIComponent(name)}`);
  }

  diff(name: string, against: string): Promise<DiffView> {
    return this.ask('GET', `/forks/${encodeURIComponent(name)}/-/diff?against=${against}`);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: string): Promise<T> {
    const options = { method, ...(body === undefined ? {} : { body }) };
    const answer = await this.client.raw(path, undefined, options);
    if (answer.code < 300) return JSON.parse(answer.body) as T;
    throw toStatusError(answer.code, answer.body);
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
