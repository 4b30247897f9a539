import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { reachablePort } from '@orrery/component';
import { Fatal, forever, textOf } from '../agnhost.js';
import type { SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { hostPort, listenAddress, routed, serveHttp } from '../http.js';

export interface GrpcHealthOptions {
  readonly host: string;
  readonly port: number;
  /** The service that is asked for; '' = the whole server. */
  readonly service: string;
  readonly healthy: () => boolean;
}

const CHECK = '/grpc.health.v1.Health/Check';
const UNIMPLEMENTED = '12';
/** A request is a name; what is longer is none. */
const MAX_REQUEST = 4096;
/** Frames of HealthCheckResponse: field 1 is SERVING or NOT_SERVING. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
const NOT_SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 2]);
const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

/** Field 1 of HealthCheckRequest behind the five bytes of its frame; names of up to 127 bytes. */
const serviceOf = (frame: Buffer): string =>
  frame[5] === 10 ? frame.subarray(7, 7 + (frame[6] ?? 0)).toString('utf8') : '';

/** grpc.health.v1.Health/Check over plain HTTP/2. */
export async function serveGrpcHealth(options: GrpcHealthOptions): Promise<Http2Server> {
  const { host, port } = options;
  const { createServer } = await import('node:http2');
  const server = createServer();
  server.on('sessionError', () => undefined);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers[':path'] === CHECK) answerCheck(stream, options);
    else
      stream.respond(
        {
          ...GRPC,
          'grpc-status': UNIMPLEMENTED,
          'grpc-message': `unknown method ${headers[':path'] ?? ''}`,
        },
        { endStream: true },
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Fatal(`failed to listen: listen tcp ${hostPort('', port)}: ${textOf(error)}`));
    });
    server.listen({ host, port }, resolve);
  });
  return server;
}

function answerCheck(stream: ServerHttp2Stream, { service, healthy }: GrpcHealthOptions): void {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_REQUEST) chunks.push(chunk);
  });
  stream.once('end', () => {
    const serves = serviceOf(Buffer.concat(chunks)) === service && healthy();
    stream.once('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': '0' });
    });
    stream.respond(GRPC, { waitForTrailers: true });
    stream.end(serves ? SERVING : NOT_SERVING);
  });
}

/** k8s test/images/agnhost/grpc-health-checking: healthy until it is told, or the time says, otherwise. */
export const grpcHealthChecking: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, {
    port: 5000,
    'http-port': 8080,
    'delay-unhealthy-sec': -1,
    service: '',
  });
  const delaySeconds = flags['delay-unhealthy-sec'];
  const started = host.clock.monotonic();
  let isServing = true;
  const inTime = (): boolean =>
    delaySeconds < 0 || host.clock.monotonic() - started < delaySeconds * 1000;
  const setting = (value: boolean) => (): { readonly body: string } => {
    isServing = value;
    host.log(`Mark as ${value ? '' : 'un'}healthy`);
    return { body: '' };
  };
  await serveHttp(host, {
    port: flags['http-port'],
    handler: routed({
      '/make-serving': setting(true),
      '/make-not-serving': setting(false),
    }),
  });
  await serveGrpcHealth({
    host: listenAddress(host, ''),
    port: reachablePort(flags.port),
    service: flags.service,
    healthy: () => isServing && inTime(),
  });
  host.log(`grpc server starting. Listening on port ${flags.port}`);
  return forever();
};
