import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { SystemClock, joinHostPort } from '@orrery/component';

export interface GrpcTarget {
  readonly host: string;
  readonly port: number;
  readonly service: string;
}

/** What grpc.health.v1.Health/Check answered; an empty text means SERVING. */
export type GrpcHealth = string;

/** Numbers of grpc.health.v1.HealthCheckResponse.ServingStatus. */
const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
const UNIMPLEMENTED = '12';
/** A health answer is a few bytes; what is longer is none. */
const MAX_ANSWER = 4096;
/** grpc's first back-off. */
const REDIAL_MS = 1_000;
/** A connection's deadline is time of the machine, as that of its socket. */
const MACHINE = new SystemClock();

/** HealthCheckRequest{service} in a gRPC frame: uncompressed, length, field 1 of wire type 2. */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  const length: number[] = [];
  for (let rest = name.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([10, ...length]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** Field 1 of HealthCheckResponse; 0 when it is left out. */
export function decodeStatus(frame: Buffer): string {
  const number = frame.length > 6 && frame[5] === 8 ? (frame[6] ?? 0) : 0;
  return SERVING_STATUS[number] ?? String(number);
}

function failureOf(headers: IncomingHttpHeaders): string | undefined {
  const code = headers['grpc-status'];
  if (code === undefined || code === '0') return undefined;
  const text = decodeURIComponent(String(headers['grpc-message'] ?? ''));
  return code === UNIMPLEMENTED
    ? `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${text}`
    : `error: health rpc probe failed: rpc error: code = Code(${String(code)}) desc = ${text}`;
}

function readAnswer(stream: ClientHttp2Stream): Promise<GrpcHealth> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let failure: string | undefined;
    let answered = false;
    stream.on('response', (headers) => {
      answered = true;
      const { ':status': status } = headers;
      failure = failureOf(headers);
      if (status !== 200)
        failure ??= `error: health rpc probe failed: unexpected HTTP status code ${String(status)}`;
    });
    stream.on('trailers', (headers) => {
      failure ??= failureOf(headers);
    });
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_ANSWER) chunks.push(chunk);
    });
    stream.once('error', reject);
    stream.once('close', () => {
      const status = decodeStatus(Buffer.concat(chunks));
      if (!answered) reject(new Error('the connection ended without an answer'));
      else if (failure !== undefined) resolve(failure);
      else if (status === 'SERVING') resolve('');
      else resolve(`service unhealthy (responded with "${status}")`);
    });
  });
}

function connected(session: ClientHttp2Session): Promise<boolean> {
  return new Promise((resolve) => {
    session.on('error', () => undefined);
    session.once('connect', () => {
      resolve(true);
    });
    session.once('close', () => {
      resolve(false);
    });
  });
}

/** As grpc.WithBlock: a refused connection is dialled again, after a second each, until the deadline; then undefined. */
async function dial(
  address: string,
  deadline: AbortSignal,
): Promise<ClientHttp2Session | undefined> {
  while (!deadline.aborted) {
    const session = connect(`http://${address}`);
    const abort = (): void => {
      session.destroy();
    };
    deadline.addEventListener('abort', abort);
    const isConnected = await connected(session);
    deadline.removeEventListener('abort', abort);
    if (isConnected) return session;
    await MACHINE.sleep(REDIAL_MS, deadline).catch(() => undefined);
  }
  return undefined;
}

/**
 * Asks a server of grpc.health.v1 whether it serves; plain HTTP/2 as probes use it (k8s pkg/probe/grpc/grpc.go). Never
 * rejects: what cannot be asked is unhealthy, in upstream's words.
 */
export async function checkGrpcHealth(target: GrpcTarget, timeoutMs: number): Promise<GrpcHealth> {
  const address = joinHostPort(target.host, target.port);
  const within = `${timeoutMs / 1000}s`;
  const late = AbortSignal.timeout(timeoutMs);
  const session = await dial(address, late);
  if (!session)
    return `timeout: failed to connect service "${address}" within ${within}: context deadline exceeded`;
  const abort = (): void => {
    session.destroy();
  };
  late.addEventListener('abort', abort);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/1.36',
    });
    const answer = readAnswer(stream);
    stream.end(encodeRequest(target.service));
    return await answer;
  } catch (error) {
    return late.aborted
      ? `timeout: health rpc did not complete within ${within}`
      : `error: health rpc probe failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    late.removeEventListener('abort', abort);
    session.destroy();
  }
}
