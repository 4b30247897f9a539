import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { ResponseOrder } from '@orrery/component';
import type { Logger } from '@orrery/component';
import type { PodDirectory } from '../pod-sources/pod-directory.js';
import type { PodCache } from '../pleg/pod-cache.js';
import { uidOf } from '../containers/visit.js';
import { latestContainer, readySandbox } from '../runtime/runtime.js';
import type { Runtime } from '../runtime/runtime.js';
import type { KubeletAuth } from './kubelet-auth.js';
import { beginRequest } from './count-requests.js';
import type { CountedServer } from './count-requests.js';
import { proxyUpgrade, refuse } from './stream-proxy.js';

/** A request for what is not there. */
export class TargetError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export interface StreamParts extends CountedServer {
  readonly directory: PodDirectory;
  readonly cache: PodCache;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

/** The id of a running container; throws TargetError in upstream's words. */
export function runningContainer(
  parts: Pick<StreamParts, 'directory' | 'cache'>,
  namespace: string,
  name: string,
  container: string,
): string {
  const pod = parts.directory.find(namespace, name);
  if (!pod) throw new TargetError(404, 'pod does not exist');
  const found = latestContainer(parts.cache.get(uidOf(pod)), container);
  if (found?.state !== 'running')
    throw new TargetError(500, `container not found ("${container}")`);
  return found.id;
}

function flag(query: URLSearchParams, ...names: readonly string[]): boolean {
  return names.some((name) => query.get(name) === '1' || query.get(name) === 'true');
}

/** exec, attach and portForward: asks the runtime for a streaming URL and passes the connection on. */
export class StreamHandler {
  constructor(
    private readonly parts: StreamParts,
    private readonly auth: KubeletAuth,
  ) {}

  attach(server: Server): void {
    const order = new ResponseOrder(server);
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, early: Buffer) => {
      socket.on('error', () => socket.destroy());
      socket.once('close', beginRequest(this.parts, request));
      const serve = async (): Promise<void> => {
        if (await order.turn(socket)) await this.handle(request, socket, early);
      };
      serve().catch((error: unknown) => {
        const code = error instanceof TargetError ? error.code : 500;
        const text = error instanceof Error ? error.message : String(error);
        this.parts.logger.debug('upgrade refused', { error: text });
        if (!socket.destroyed)
          refuse(socket, code, code === 404 ? 'Not Found' : 'Internal Server Error', text);
      });
    });
  }

  private async handle(request: IncomingMessage, socket: Duplex, early: Buffer): Promise<void> {
    const refusal = await this.auth.check(request);
    if (refusal) {
      refuse(socket, refusal.code, STATUS_CODES[refusal.code] ?? '', refusal.text);
      return;
    }
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const target = await this.streamingUrl(url);
    if (!socket.destroyed) proxyUpgrade(request, socket, early, new URL(target));
  }

  private async streamingUrl({ pathname, searchParams: query }: URL): Promise<string> {
    const [verb, namespace = '', name = '', ...rest] = pathname
      .split('/')
      .slice(1)
      .map(decodeURIComponent);
    const container = rest.at(-1) ?? '';
    const { runtime } = this.parts;
    if (verb === 'portForward') return this.portForwardUrl(namespace, name, query);
    if (verb !== 'exec' && verb !== 'attach') throw new TargetError(404, '404 page not found');
    const containerId = runningContainer(this.parts, namespace, name, container);
    const tty = flag(query, 'tty');
    const streams = {
      containerId,
      stdin: flag(query, 'input', 'stdin'),
      stdout: flag(query, 'output', 'stdout'),
      stderr: flag(query, 'error', 'stderr') && !tty,
      tty,
    };
    return verb === 'exec'
      ? runtime.exec({ ...streams, command: query.getAll('command') })
      : runtime.attach(streams);
  }

  private portForwardUrl(namespace: string, name: string, query: URLSearchParams): Promise<string> {
    const pod = this.parts.directory.find(namespace, name);
    if (!pod) throw new TargetError(404, 'pod does not exist');
    const sandbox = readySandbox(this.parts.cache.get(uidOf(pod)));
    if (!sandbox) throw new TargetError(500, `pod not found ("${name}_${namespace}")`);
    const ports = query
      .getAll('port')
      .flatMap((one) => one.split(','))
      .map(Number);
    return this.parts.runtime.portForward(
      sandbox.id,
      ports.filter((port) => port > 0),
    );
  }
}
