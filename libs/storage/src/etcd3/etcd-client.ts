import type { Clock } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import { noop } from 'cockatiel';
import { Etcd3 } from 'etcd3';
import type { IOptions } from 'etcd3';

import { StorageError } from '../storage-error.js';
import { toStorageError } from './etcd-error.js';
import type { Operation } from './etcd-error.js';

export interface EtcdClientOptions {
  /** Client URLs of the members, all http or all https. */
  readonly endpoints: readonly string[];
  /** PEM; given = TLS, with a client certificate when both of `cert` and `key` are there. */
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly auth?: { readonly username: string; readonly password: string };
  /** Deadline of one unary call. Default 10,000: etcd itself gives up after 7,000. */
  readonly requestTimeoutMs?: number;
  /** A connection on which nothing comes is pinged after this time. Default 10,000 (etcd refuses pings below 5,000). */
  readonly keepaliveMs?: number;
  readonly clock?: Clock;
}

export interface EtcdMember {
  readonly endpoint: string;
  /** Unary calls. */
  readonly unary: Etcd3;
  /** Watches: a connection of their own, so that a large catch-up does not delay calls. */
  readonly streams: Etcd3;
}

/**
 * One etcd3 client per member and connection, with every retry and circuit breaker of etcd3 off: which error may be
 * repeated is decided here, where it is known whether something was written.
 */
export class EtcdClient {
  readonly members: readonly EtcdMember[];
  readonly clock: Clock;
  private readonly requestTimeoutMs: number;
  private preferred = 0;

  constructor(private readonly options: EtcdClientOptions) {
    if (options.endpoints.length === 0) {
      throw new StorageError('internal', 'an etcd client needs at least one endpoint');
    }
    this.clock = options.clock ?? new SystemClock();
    this.requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
    this.members = options.endpoints.map((endpoint) => ({
      endpoint,
      unary: new Etcd3(this.etcd3Options(endpoint)),
      streams: new Etcd3(this.etcd3Options(endpoint)),
    }));
  }

  /** The member whose turn it is to serve a new stream; `skip` rotates away from the one that failed. */
  member(skip = 0): EtcdMember {
    const { members } = this;
    const member = members[(this.preferred + skip) % members.length];
    if (!member) throw new StorageError('internal', 'no etcd member');
    return member;
  }

  /**
   * Makes a unary call on the preferred member. 'unavailable' moves on to the next member, since nothing was
   * written then; any other failure is the caller's.
   */
  async call<T>(
    operation: Operation,
    run: (etcd: Etcd3, options: { deadline: number }) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let tried = 1; ; tried++) {
      if (signal?.aborted)
        throw new StorageError('aborted', `${operation.what}: the caller gave up`);
      const turn = this.preferred;
      const deadline = this.clock.now() + this.requestTimeoutMs;
      try {
        return await abortable(run(this.member().unary, { deadline }), operation, signal);
      } catch (thrown) {
        const error = toStorageError(thrown, operation);
        const moveOn = error.code === 'unavailable' || error.code === 'timeout';
        if (moveOn && this.preferred === turn) this.preferred = (turn + 1) % this.members.length;
        // A connection that broke under a read is made anew: even a single member gets a second try.
        const tries = this.members.length + (operation.kind === 'read' ? 1 : 0);
        if (error.code !== 'unavailable' || tried >= tries) throw error;
      }
    }
  }

  /** Removes the history below `revision`: older exact reads and watches answer 'compacted' from then on. */
  async compact(revision: number): Promise<void> {
    await this.call({ kind: 'read', what: `compact ${revision}` }, (etcd, options) =>
      etcd.kv.compact({ revision, physical: true }, options),
    );
  }

  close(): void {
    for (const { unary, streams } of this.members) {
      unary.close();
      streams.close();
    }
  }

  private etcd3Options(endpoint: string): IOptions {
    const { tls, auth, keepaliveMs = 10_000 } = this.options;
    return {
      hosts: endpoint,
      ...(tls && { credentials: toCredentials(tls) }),
      ...(auth && { auth: { ...auth } }),
      faultHandling: { global: noop, host: () => noop },
      grpcOptions: {
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1,
        'grpc.keepalive_time_ms': keepaliveMs,
        'grpc.keepalive_timeout_ms': keepaliveMs / 2,
        'grpc.initial_reconnect_backoff_ms': 50,
        'grpc.min_reconnect_backoff_ms': 50,
        'grpc.max_reconnect_backoff_ms': 1000,
        'grpc.use_local_subchannel_pool': 1,
      },
    };
  }
}

function toCredentials(tls: NonNullable<EtcdClientOptions['tls']>): IOptions['credentials'] {
  return {
    rootCertificate: tls.ca,
    ...(tls.key && { privateKey: tls.key }),
    ...(tls.cert && { certChain: tls.cert }),
  };
}

/** Rejects when the signal aborts; a write that is under way then has an unknown outcome. */
function abortable<T>(call: Promise<T>, operation: Operation, signal?: AbortSignal): Promise<T> {
  if (!signal) return call;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      const code = operation.kind === 'write' ? 'unknownOutcome' : 'aborted';
      const message = `${operation.what}: the caller gave up`;
      reject(new StorageError(code, message, { cause: signal.reason }));
    };
    const settled = (): void => {
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    call.then(resolve, reject).then(settled, settled);
  });
}
