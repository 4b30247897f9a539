import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { bindProblem, listenOn } from './listen.js';
import { LAME_DUCK_MS, ProgramExit } from './program.js';
import type { ProgramContext, RunningProgram } from './program.js';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

/** What makes one HTTP program differ from another. */
export interface HttpProgramOptions {
  readonly port: number;
  /** The Server header; none when undefined. */
  readonly server: string | undefined;
  answer(request: IncomingMessage, body: Buffer): HttpAnswer;
  /** The line that the program writes for a request. */
  accessLine(request: IncomingMessage, status: number, bytes: number): string;
  /** The lines that it writes when its port is taken. */
  bindError(at: string, errno: number, text: string): string;
  /** Lines on standard output or error once it serves. */
  readonly greeting?: readonly string[];
}

/** Requests larger than this are answered 413. */
const MAX_BODY = 16 * 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** What a server has done so far. */
interface Work {
  stopping: boolean;
  busyMs: number;
  requests: number;
}

function send(
  context: ProgramContext,
  options: HttpProgramOptions,
  work: Work,
  exchange: { request: IncomingMessage; response: ServerResponse; answer: HttpAnswer },
): void {
  const { request, response, answer } = exchange;
  const failing = context.failEvery > 0 && ++work.requests % context.failEvery === 0;
  const status = failing ? 500 : answer.status;
  const body = failing ? 'Internal Server Error\n' : answer.body;
  const length = Buffer.byteLength(body);
  response.writeHead(status, {
    ...(options.server === undefined ? {} : { Server: options.server }),
    ...answer.headers,
    'Content-Length': length,
    'X-Pod': context.pod,
    'X-Node': context.node,
    'X-Image': context.image,
    ...(work.stopping ? { Connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
  context.log('stdout', options.accessLine(request, status, length));
}

const TOO_LARGE: HttpAnswer = { status: 413, headers: {}, body: 'Request Entity Too Large\n' };

/** Listens, or ends the program as it would end itself. */
async function listenOrExit(
  server: Server,
  context: ProgramContext,
  options: HttpProgramOptions,
): Promise<void> {
  try {
    await listenOn(server, context, options.port);
  } catch (error) {
    const problem = bindProblem(error);
    if (!problem) throw error;
    const at = `${context.ip}:${options.port}`;
    context.log('stderr', options.bindError(at, problem.errno, problem.text));
    throw new ProgramExit(1);
  }
}

/** Serves HTTP/1.1 on the pod's address until stopped. */
export async function runHttp(
  context: ProgramContext,
  options: HttpProgramOptions,
): Promise<RunningProgram> {
  const { clock } = context;
  const work: Work = { stopping: false, busyMs: 0, requests: 0 };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    const began = clock.monotonic();
    const answer = body ? options.answer(request, body) : TOO_LARGE;
    send(context, options, work, { request, response, answer });
    work.busyMs += clock.monotonic() - began;
  };
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await listenOrExit(server, context, options);
  for (const line of options.greeting ?? []) context.log('stderr', line);
  return {
    stop: async () => {
      work.stopping = true;
      await clock.sleep(LAME_DUCK_MS);
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeIdleConnections();
      });
    },
    kill: () => {
      server.close();
      server.closeAllConnections();
    },
    cpuNanoseconds: () => Math.round(work.busyMs * 1e6),
  };
}

/** The path of a request without its query, decoded; undefined when it is malformed or climbs out. */
export function pathOf(request: IncomingMessage): string | undefined {
  try {
    const path = decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/');
    return path.split('/').includes('..') || path.includes('\0') ? undefined : path;
  } catch {
    return undefined;
  }
}

export const remoteOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? '-';

/** `10/Oct/2026:13:55:36 +0000`, of the common log format. */
export function commonLogTime(ms: number): string {
  const [, day, month, year, time] =
    /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(ms).toUTCString()) ?? [];
  return `${day ?? ''}/${month ?? ''}/${year ?? ''}:${time ?? ''} +0000`;
}

/** Who answered, as a paragraph of plain text. */
export function whoAmI(context: ProgramContext): string {
  return `pod: ${context.pod}\nnode: ${context.node}\nimage: ${context.image}\nversion: ${context.tag}\n`;
}
