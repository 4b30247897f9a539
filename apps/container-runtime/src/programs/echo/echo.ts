import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { reachablePort } from '@orrery/component';
import { remoteOf, runHttp, whoAmI } from '../http-program.js';
import type { HttpAnswer } from '../http-program.js';
import { bindProblem } from '../listen.js';
import { ProgramExit } from '../program.js';
import type { ProgramContext, RunningProgram } from '../program.js';

const DEFAULT_PORT = 8080;

function answer(context: ProgramContext, request: IncomingMessage, body: Buffer): HttpAnswer {
  const head = `${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}`;
  const headers = Object.entries(request.headers).map(
    ([name, value]) => `${name}: ${String(value)}`,
  );
  const text = `${whoAmI(context)}namespace: ${context.namespace}\ncontainer: ${context.container}\nfrom: ${remoteOf(request)}\n\n${[head, ...headers].join('\n')}\n`;
  return {
    status: 200,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: body.length > 0 ? Buffer.concat([Buffer.from(`${text}\n`), body]) : text,
  };
}

/** Sends every datagram back, behind a line with the pod's name. */
function echoDatagrams(context: ProgramContext, at: string, port: number): Promise<Socket> {
  const socket = createSocket(isIPv6(at) ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => {
    socket.send(Buffer.concat([Buffer.from(`${context.pod}: `), message]), from.port, from.address);
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      const problem = bindProblem(error);
      if (!problem) {
        reject(error);
        return;
      }
      context.log('stderr', `listen udp ${context.ip}:${port}: bind: ${problem.text}`);
      reject(new ProgramExit(1));
    });
    socket.bind(reachablePort(port), at, () => {
      resolve(socket);
    });
  });
}

function serveHttp(context: ProgramContext, port: number): Promise<RunningProgram> {
  return runHttp(context, {
    port,
    server: 'orrery-echo',
    answer: (request, body) => answer(context, request, body),
    accessLine: (request, status) =>
      `${remoteOf(request)} ${request.method ?? ''} ${request.url ?? ''} ${status}`,
    bindError: (at, _errno, text) => `listen tcp ${at}: bind: ${text}`,
    greeting: [`listening on ${context.ip}:${port}`],
  });
}

/** Any image that has no program of its own: HTTP on each declared TCP port (8080 when none), UDP echo on the rest. */
export async function echo(context: ProgramContext): Promise<RunningProgram> {
  const of = (protocol: string): number[] =>
    context.ports.filter((port) => port.protocol === protocol).map(({ port }) => port);
  const tcp = of('TCP');
  const udp = of('UDP');
  const servers: RunningProgram[] = [];
  const sockets: Socket[] = [];
  const closeAll = (): void => {
    for (const server of servers) server.kill();
    for (const socket of sockets.splice(0)) socket.close();
  };
  try {
    for (const port of tcp.length + udp.length === 0 ? [DEFAULT_PORT] : new Set(tcp))
      servers.push(await serveHttp(context, port));
    for (const port of new Set(udp))
      for (const at of [context.listen, ...(context.moreListen ?? [])])
        sockets.push(await echoDatagrams(context, at, port));
  } catch (error) {
    closeAll();
    throw error;
  }
  return {
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
      closeAll();
    },
    kill: closeAll,
    cpuNanoseconds: () => servers.reduce((sum, server) => sum + server.cpuNanoseconds(), 0),
  };
}
