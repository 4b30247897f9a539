import type { CallOptions, Interceptor } from '@grpc/grpc-js';
import type { Clock } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import type { IOptions } from 'etcd3';

import type { Encryption } from '../encryption/encryption.js';
import { StorageError } from '../storage-error.js';
import { StreamCalls } from '../wire/stream-calls.js';
import { AuthTokens, isStaleToken, withMetadata } from './auth-tokens.js';
import { toStorageError } from './etcd-error.js';
import type { Operation } from './etcd-error.js';
import { MemberCalls } from './member-calls.js';
import type { DirectOptions } from './member-calls.js';

export interface EtcdClientOptions {
  /** Client URLs of the members, all http or all https. */
  readonly endpoints: readonly string[];
  /** PEM; given = TLS, with a client certificate when both of `cert` and `key` are there. */
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** A user of etcd; needs to read every key (the role root, or a role with the range of all keys). */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Deadline of one unary call. Default 10,000: etcd itself gives up after 7,000. */
  readonly requestTimeoutMs?: number;
  /** A connection on which nothing comes is pinged after this time. Default 10,000 (etcd refuses pings below 5,000). */
  readonly keepaliveMs?: number;
  readonly clock?: Clock;
  /** Encrypts values before etcd has them; what is read is readable. */
  readonly encryption?: Encryption;
  /** Told of every unary call when it has ended: what it was, and how long it took. */
  readonly onCall?: (
    call: Pick<Operation, 'kind' | 'what' | 'key'>,
    ms: number,
    failed: boolean,
  ) => void;
}

export interface EtcdMember {
  readonly endpoint: string;
  /** Unary calls. */
  readonly unary: MemberCalls;
  /** Watches: a connection of their own, so that a large catch-up does not delay calls. */
  readonly streams: StreamCalls;
}

const KEEPALIVE_MS = 10_000;
/** A read is tried on the next member when one has not answered for this long. */
const READ_TRY_MS = 5000;

/**
 * The connections to every member. Nothing below repeats a call: which error may be repeated is decided here, where it is
 * known whether something was written.
 */
export class EtcdClient {
  readonly members: readonly EtcdMember[];
  readonly clock: Clock;
  readonly encryption: Encryption | undefined;
  private readonly requestTimeoutMs: number;
  private readonly tokens: AuthTokens | undefined;
  private preferred = 0;

  constructor(private readonly options: EtcdClientOptions) {
    if (options.endpoints.length === 0) {
      throw new StorageError('internal', 'an etcd client needs at least one endpoint');
    }
    this.clock = options.clock ?? new SystemClock();
    this.encryption = options.encryption;
    this.requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
    this.members = options.endpoints.map((endpoint) => {
      const connection = {
        endpoint,
        ...(options.tls ? { tls: options.tls } : {}),
        keepaliveMs: options.keepaliveMs ?? KEEPALIVE_MS,
        // Etcd's time is the machine's, whatever clock the cluster goes by.
        clock: new SystemClock(),
      };
      return {
        endpoint,
        unary: new MemberCalls(this.etcd3Options(endpoint), connection, options.encryption),
        streams: new StreamCalls(connection),
      };
    });
    const { auth } = options;
    if (auth) this.tokens = new AuthTokens(() => this.logIn(auth.username, auth.password));
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
   * written then, and so does a read that has no answer in time; any other failure is the caller's.
   */
  call<T>(
    operation: Operation,
    run: (etcd: MemberCalls, options: CallOptions) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { onCall } = this.options;
    const called = this.callAny(operation, run, signal);
    if (!onCall) return called;
    const startedAt = this.clock.monotonic();
    called.then(
      () => {
        onCall(operation, this.clock.monotonic() - startedAt, false);
      },
      () => {
        onCall(operation, this.clock.monotonic() - startedAt, true);
      },
    );
    return called;
  }

  private async callAny<T>(
    operation: Operation,
    run: (etcd: MemberCalls, options: CallOptions) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    // A connection that broke under a read is made anew: even a single member gets a second try.
    const tries = this.members.length + (operation.kind === 'read' ? 1 : 0);
    for (let tried = 1; ; tried++) {
      const turn = this.preferred;
      try {
        return await this.callMember(this.member(), operation, run, signal);
      } catch (thrown) {
        const error = toStorageError(thrown, operation);
        const moveOn = error.code === 'unavailable' || error.code === 'timeout';
        if (moveOn && this.preferred === turn) this.preferred = (turn + 1) % this.members.length;
        const again =
          error.code === 'unavailable' ||
          (error.code === 'timeout' && operation.kind === 'read' && this.members.length > 1);
        if (!again || tried >= tries) throw error;
      }
    }
  }

  /** Makes a unary call on this member alone. */
  async callMember<T>(
    { unary }: EtcdMember,
    operation: Operation,
    run: (etcd: MemberCalls, options: CallOptions) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let tried = 1; ; tried++) {
      if (signal?.aborted)
        throw new StorageError('aborted', `${operation.what}: the caller gave up`);
      const token = await this.tokens?.token();
      const fields = fieldsOf(token, operation.anyMember !== true);
      const timeoutMs = this.timeoutOf(operation);
      const options: DirectOptions = {
        deadline: this.clock.now() + timeoutMs,
        timeoutMs,
        fields,
        // For the calls by the library.
        get interceptors() {
          return [withMetadata(fields)];
        },
      };
      try {
        return await abortable(run(unary, options), operation, signal);
      } catch (error) {
        if (!this.tokens || !isStaleToken(error) || tried > 1)
          throw toStorageError(error, operation);
        this.tokens.renew();
      }
    }
  }

  /** What a stream carries: the user's token, and that a member without a leader must refuse it. */
  async fields(): Promise<Readonly<Record<string, string>>> {
    return fieldsOf(await this.tokens?.token(), true);
  }

  /** What a stream of the library carries that any member may serve. */
  async interceptors(): Promise<Interceptor[]> {
    return [withMetadata(fieldsOf(await this.tokens?.token(), false))];
  }

  /** A stream was refused for want of permission, which is also what 3.4 says of a token it does not know. */
  renewToken(): void {
    this.tokens?.renew();
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

  private timeoutOf({ kind, timeoutMs }: Operation): number {
    const whole = timeoutMs ?? this.requestTimeoutMs;
    return kind === 'read' && this.members.length > 1 ? Math.min(whole, READ_TRY_MS) : whole;
  }

  private async logIn(name: string, password: string): Promise<string> {
    const operation: Operation = { kind: 'read', what: `log in to etcd as ${name}` };
    const from = this.preferred;
    for (let skip = 0; ; skip++) {
      const member = this.members[(from + skip) % this.members.length];
      const deadline = this.clock.now() + this.timeoutOf(operation);
      try {
        const answer = await member?.unary.library.auth.authenticate(
          { name, password },
          { deadline },
        );
        return answer?.token ?? '';
      } catch (thrown) {
        const error = toStorageError(thrown, operation);
        const elsewhere = error.code === 'unavailable' || error.code === 'timeout';
        if (!elsewhere || skip + 1 >= this.members.length) throw error;
      }
    }
  }

  private etcd3Options(endpoint: string): IOptions {
    const { tls, keepaliveMs = KEEPALIVE_MS } = this.options;
    return {
      hosts: endpoint,
      ...(tls && { credentials: toCredentials(tls) }),
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

const fieldsOf = (token: string | undefined, needsLeader: boolean): Record<string, string> => ({
  ...(needsLeader ? { hasleader: 'true' } : {}),
  ...(token === undefined ? {} : { token }),
});

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
