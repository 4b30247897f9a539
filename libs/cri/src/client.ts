import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { SystemClock } from '@orrery/component';
import type { CallOptions } from './call.js';
import { rpcsOf } from './codec.js';
import type { Rpc, ServiceName } from './codec.js';
import { CriError, toCriCode } from './cri-error.js';
import type { ImageService, RuntimeService } from './gen/services.js';

export interface CriClientOptions {
  /** Deadline of a unary call that brings none of its own; default 120 000, upstream's runtimeRequestTimeout. */
  readonly timeoutMs?: number;
}

/** A connection to a container runtime. */
export interface CriClient {
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  close(): void;
}

/** 16 MiB, as upstream's kubelet allows (k8s cri-client/pkg/remote_runtime.go: maxMsgSize). */
const MAX_MESSAGE = 16 * 1024 * 1024;

/**
 * Connects to `unix:///run/x.sock` lazily: calls fail with UNAVAILABLE while nothing listens, and work again as soon
 * as something does. Every failure is a CriError.
 */
export function connectCri(endpoint: string, options: CriClientOptions = {}): CriClient {
  const client = new Client(endpoint, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE,
    'grpc.max_send_message_length': MAX_MESSAGE,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.default_authority': 'localhost',
  });
  const timeoutMs = options.timeoutMs ?? 120_000;
  return {
    runtime: stubOf<RuntimeService>(client, 'RuntimeService', timeoutMs),
    images: stubOf<ImageService>(client, 'ImageService', timeoutMs),
    close: () => {
      client.close();
    },
  };
}

type Stub = Record<string, (request: object, options?: CallOptions) => unknown>;

function stubOf<T>(client: Client, service: ServiceName, timeoutMs: number): T {
  const stub: Stub = {};
  for (const rpc of rpcsOf(service))
    stub[rpc.method] = rpc.streaming
      ? (request, options = {}) => stream(client, rpc, request, options)
      : (request, options = {}) => unary(client, rpc, request, { timeoutMs, ...options });
  return stub as T;
}

function toError(error: ServiceError): CriError {
  return new CriError(toCriCode(error.code), error.details || error.message, { cause: error });
}

/** gRPC takes deadlines in the machine's own time, whatever a cluster's Clock says. */
const clock = new SystemClock();

const callOptions = (timeoutMs: number | undefined): { deadline?: number } =>
  timeoutMs === undefined ? {} : { deadline: clock.now() + timeoutMs };

function unary(client: Client, rpc: Rpc, request: object, options: CallOptions): Promise<object> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted) {
      reject(new CriError('CANCELLED', 'cancelled before the call'));
      return;
    }
    const cancel = (): void => {
      call.cancel();
    };
    const call = client.makeUnaryRequest(
      rpc.path,
      rpc.request.encode,
      rpc.response.decode,
      request,
      new Metadata(),
      callOptions(options.timeoutMs),
      (error, response) => {
        signal?.removeEventListener('abort', cancel);
        if (error) reject(toError(error));
        else resolve(response ?? {});
      },
    );
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

async function* stream(
  client: Client,
  rpc: Rpc,
  request: object,
  options: CallOptions,
): AsyncGenerator<object> {
  options.signal?.throwIfAborted();
  const call = client.makeServerStreamRequest(
    rpc.path,
    rpc.request.encode,
    rpc.response.decode,
    request,
    new Metadata(),
    callOptions(options.timeoutMs),
  );
  const cancel = (): void => {
    call.cancel();
  };
  options.signal?.addEventListener('abort', cancel, { once: true });
  try {
    for await (const message of call) yield message as object;
  } catch (error) {
    throw toError(error as ServiceError);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    call.cancel();
  }
}
