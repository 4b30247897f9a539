import type { CallOptions } from '@grpc/grpc-js';
import { Etcd3, KVClient } from 'etcd3';
import type { IOptions, IRangeRequest, IRangeResponse, ITxnRequest, ITxnResponse } from 'etcd3';

import { KV_METHODS } from './kv-messages.js';
import { UnaryCalls } from './unary-calls.js';
import type { UnaryOptions } from './unary-calls.js';

/** Options of a call, and the same once more as UnaryCalls takes it. */
export interface DirectOptions extends CallOptions {
  readonly timeoutMs: number;
  readonly fields: Readonly<Record<string, string>>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** What etcd says of a token that it does not know, and how it is known here (auth-tokens.ts:withMetadata). */
const INVALID_TOKEN = /invalid auth token/;

/** Ranges and transactions by UnaryCalls, everything else as ever. */
class DirectKv extends KVClient {
  constructor(
    pool: ConstructorParameters<typeof KVClient>[0],
    private readonly calls: UnaryCalls,
  ) {
    super(pool);
  }

  override range(request: IRangeRequest, options?: CallOptions): Promise<IRangeResponse> {
    return this.direct<IRangeResponse>('range', request, options);
  }

  override txn(request: ITxnRequest, options?: CallOptions): Promise<ITxnResponse> {
    return this.direct<ITxnResponse>('txn', request, options);
  }

  private async direct<T>(
    method: keyof typeof KV_METHODS,
    request: object,
    options: Partial<DirectOptions> = {},
  ): Promise<T> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, fields = {} } = options;
    try {
      return (await this.calls.call(KV_METHODS[method], request, { timeoutMs, fields })) as T;
    } catch (error) {
      if (!(error instanceof Error) || !INVALID_TOKEN.test(error.message)) throw error;
      throw new Error(error.message.replace(INVALID_TOKEN, 'the auth token is stale'), {
        cause: error,
      });
    }
  }
}

/** etcd3's client whose ranges and transactions, nearly all that is asked of it, go the short way. */
export class DirectEtcd extends Etcd3 {
  override readonly kv: KVClient;
  private readonly calls: UnaryCalls;

  constructor(options: IOptions, direct: UnaryOptions) {
    super(options);
    this.calls = new UnaryCalls(direct);
    this.kv = new DirectKv(this.pool, this.calls);
  }

  override close(): void {
    this.calls.close();
    super.close();
  }
}
