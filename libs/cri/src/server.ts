import { rm } from 'node:fs/promises';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type {
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
  sendUnaryData,
} from '@grpc/grpc-js';
import { Server } from '@nestjs/microservices';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import { rpcsOf } from './codec.js';
import type { Rpc, ServiceName } from './codec.js';
import { CRI_CODES, CriError } from './cri-error.js';

type Handler = (request: object, signal: AbortSignal) => unknown;

const MAX_MESSAGE = 16 * 1024 * 1024;
const SERVICES: readonly ServiceName[] = ['RuntimeService', 'ImageService'];

/** The message pattern under which the handler of an RPC is registered. */
export const patternOf = (service: ServiceName, method: string): string => `${service}/${method}`;

/**
 * Nest's transport for a CRI server: runtime.v1 over gRPC on a unix socket. Handlers are found by `patternOf`;
 * an RPC without handler answers UNIMPLEMENTED by name.
 */
export class CriServerStrategy extends Server implements CustomTransportStrategy {
  private server: GrpcServer | undefined;

  /** `endpoint`: `unix:///path`; a stale socket there is replaced. */
  constructor(private readonly endpoint: string) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    this.bind().then(() => {
      callback();
    }, callback);
  }

  private async bind(): Promise<void> {
    const server = new GrpcServer({
      'grpc.max_receive_message_length': MAX_MESSAGE,
      'grpc.max_send_message_length': MAX_MESSAGE,
    });
    for (const service of SERVICES) this.addService(server, service);
    const path = this.endpoint.replace(/^unix:(?:\/\/)?/, '');
    await rm(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    this.server = server;
  }

  private addService(server: GrpcServer, service: ServiceName): void {
    const definition: Record<string, ServiceDefinition[string]> = {};
    const implementation: UntypedServiceImplementation = {};
    for (const rpc of rpcsOf(service)) {
      definition[rpc.name] = {
        path: rpc.path,
        requestStream: false,
        responseStream: rpc.streaming,
        requestSerialize: rpc.request.encode,
        requestDeserialize: rpc.request.decode,
        responseSerialize: rpc.response.encode,
        responseDeserialize: rpc.response.decode,
      };
      const handler = this.handlerOf(service, rpc);
      implementation[rpc.name] = rpc.streaming ? serveStream(handler) : serveUnary(handler);
    }
    server.addService(definition, implementation);
  }

  private handlerOf(service: ServiceName, rpc: Rpc): Handler {
    return (request, signal) => {
      const handler = this.messageHandlers.get(patternOf(service, rpc.method));
      if (handler) return handler(request, signal);
      throw new CriError('UNIMPLEMENTED', `method ${rpc.name} not implemented`);
    };
  }

  close(): void {
    this.server?.forceShutdown();
    this.server = undefined;
  }

  on(): never {
    throw new TypeError('the CRI transport emits no events');
  }

  unwrap<T>(): T {
    return this.server as T;
  }
}

function toStatus(error: unknown): { code: number; details: string } {
  if (error instanceof CriError) return { code: CRI_CODES[error.code], details: error.message };
  return {
    code: CRI_CODES.UNKNOWN,
    details: error instanceof Error ? error.message : String(error),
  };
}

function signalOf(call: { on(event: 'cancelled', listener: () => void): unknown }): AbortSignal {
  const controller = new AbortController();
  call.on('cancelled', () => {
    controller.abort(new CriError('CANCELLED', 'the caller cancelled'));
  });
  return controller.signal;
}

function serveUnary(handler: Handler) {
  return (call: ServerUnaryCall<object, object>, callback: sendUnaryData<object>): void => {
    const answer = async (): Promise<object> =>
      (await settle(handler(call.request, signalOf(call)))) as object;
    answer().then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        callback(toStatus(error));
      },
    );
  };
}

interface Subscribable {
  subscribe(observer: {
    next(v: unknown): void;
    error(e: unknown): void;
    complete(): void;
  }): unknown;
}

/** Nest's exception filter answers with an observable; ours are values and promises. */
async function settle(result: unknown): Promise<unknown> {
  const value = await result;
  if (typeof value !== 'object' || value === null || !('subscribe' in value)) return value;
  return new Promise((resolve, reject) => {
    let last: unknown;
    (value as Subscribable).subscribe({
      next: (item) => {
        last = item;
      },
      error: reject,
      complete: () => {
        resolve(last);
      },
    });
  });
}

function serveStream(handler: Handler) {
  return (call: ServerWritableStream<object, object>): void => {
    const signal = signalOf(call);
    const pump = async (): Promise<void> => {
      const messages = (await settle(handler(call.request, signal))) as AsyncIterable<object>;
      for await (const message of messages) {
        if (signal.aborted) return;
        if (!call.write(message)) await drained(call, signal);
      }
      call.end();
    };
    pump().catch((error: unknown) => {
      if (!signal.aborted) call.emit('error', toStatus(error));
    });
  };
}

function drained(call: ServerWritableStream<object, object>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    call.once('drain', resolve);
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
