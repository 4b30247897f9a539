import { createRequire } from 'node:module';
import type { CallOptions } from '@grpc/grpc-js';
import type {
  Etcd3,
  ICompactionRequest,
  ICompactionResponse,
  ILeaseGrantRequest,
  ILeaseGrantResponse,
  IOptions,
  IRangeRequest,
  IRangeResponse,
  IStatusResponse,
  ITxnRequest,
  ITxnResponse,
} from 'etcd3';

import type { Encryption } from '../encryption/encryption.js';
import type { ConnectionOptions } from '../wire/connection.js';
import { UNARY_METHODS } from '../wire/etcd-messages.js';
import { UnaryCalls } from '../wire/unary-calls.js';

/** Options of a call, and the same once more as UnaryCalls takes it. */
export interface DirectOptions extends CallOptions {
  readonly timeoutMs: number;
  readonly fields: Readonly<Record<string, string>>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** What etcd says of a token that it does not know, and how it is known here (auth-tokens.ts:withMetadata). */
const INVALID_TOKEN = /invalid auth token/;

type Method = keyof typeof UNARY_METHODS;
type Call<Request, Answer> = (request: Request, options?: CallOptions) => Promise<Answer>;

const load = createRequire(import.meta.url);

/** Packages take as long to load as the rest of a component; few calls need this one. */
function createLibrary(options: IOptions): Etcd3 {
  const etcd3 = load('etcd3') as typeof import('etcd3');
  const { noop } = createRequire(load.resolve('etcd3'))('cockatiel') as typeof import('cockatiel');
  return new etcd3.Etcd3({ ...options, faultHandling: { global: noop, host: () => noop } });
}

async function encryptedTransaction(
  txn: MemberCalls['kv']['txn'],
  encryption: Encryption,
  { success = [], failure = [], ...request }: ITxnRequest,
  options?: CallOptions,
): Promise<ITxnResponse> {
  const operations = {
    success: encryption.encryptPuts(success),
    failure: encryption.encryptPuts(failure),
  };
  return encryption.openTransaction(await txn({ ...request, ...operations }, options));
}

/** What is asked of one member: the calls of everyday the short way, all others by the package etcd3. */
export class MemberCalls {
  readonly kv: {
    readonly range: Call<IRangeRequest, IRangeResponse>;
    readonly txn: Call<ITxnRequest, ITxnResponse>;
    readonly compact: Call<ICompactionRequest, ICompactionResponse>;
  };
  readonly leaseClient: { readonly leaseGrant: Call<ILeaseGrantRequest, ILeaseGrantResponse> };
  /** Asked from time to time by every API server. */
  readonly status: (options?: CallOptions) => Promise<IStatusResponse>;
  private readonly calls: UnaryCalls;
  private loaded: Etcd3 | undefined;

  constructor(
    private readonly options: IOptions,
    direct: ConnectionOptions,
    encryption?: Encryption,
  ) {
    this.calls = new UnaryCalls(direct);
    const range: MemberCalls['kv']['range'] = this.direct('range');
    const txn: MemberCalls['kv']['txn'] = this.direct('txn');
    this.kv = {
      range: encryption ? async (...args) => encryption.openRange(await range(...args)) : range,
      txn: encryption ? (...args) => encryptedTransaction(txn, encryption, ...args) : txn,
      compact: this.direct('compact'),
    };
    this.leaseClient = { leaseGrant: this.direct('leaseGrant') };
    const status: Call<object, IStatusResponse> = this.direct('status');
    this.status = (how) => status({}, how);
  }

  /** The package's client, with its retries and circuit breakers off. */
  get library(): Etcd3 {
    this.loaded ??= createLibrary(this.options);
    return this.loaded;
  }

  close(): void {
    this.calls.close();
    this.loaded?.close();
  }

  private direct<Request extends object, Answer>(name: Method): Call<Request, Answer> {
    const method = UNARY_METHODS[name];
    return async (request, options: Partial<DirectOptions> = {}) => {
      const { timeoutMs = DEFAULT_TIMEOUT_MS, fields = {} } = options;
      try {
        return (await this.calls.call(method, request, { timeoutMs, fields })) as Answer;
      } catch (error) {
        if (!(error instanceof Error) || !INVALID_TOKEN.test(error.message)) throw error;
        throw new Error(error.message.replace(INVALID_TOKEN, 'the auth token is stale'), {
          cause: error,
        });
      }
    };
  }
}
