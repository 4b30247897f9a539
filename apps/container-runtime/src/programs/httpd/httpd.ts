import type { IncomingMessage } from 'node:http';
import { commonLogTime, pathOf, remoteOf, runHttp, whoAmI } from '../http-program.js';
import type { HttpAnswer } from '../http-program.js';
import type { ProgramContext, RunningProgram } from '../program.js';
import { staticFile } from '../static-files.js';

const ROOT = '/usr/local/apache2/htdocs';
const HTML = { 'Content-Type': 'text/html' };

const NOT_FOUND: HttpAnswer = {
  status: 404,
  headers: HTML,
  body: '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n</body></html>\n',
};

function answer(context: ProgramContext, request: IncomingMessage): HttpAnswer {
  const path = pathOf(request);
  if (path === undefined) return { status: 400, headers: HTML, body: 'Bad Request\n' };
  const file = staticFile(context, ROOT, path);
  if (file === 'missing') return NOT_FOUND;
  if (file) return { status: 200, headers: { 'Content-Type': file.type }, body: file.body };
  if (path !== '/' && path !== '/index.html') return NOT_FOUND;
  return {
    status: 200,
    headers: HTML,
    body: `<html><body><h1>It works!</h1></body></html>\n<!--\n${whoAmI(context)}-->\n`,
  };
}

export function httpd(context: ProgramContext): Promise<RunningProgram> {
  const version = /^\d+(?:\.\d+)*/.exec(context.tag)?.[0] ?? '2.4.66';
  return runHttp(context, {
    port: 80,
    server: `Apache/${version} (Unix)`,
    answer: (request) => answer(context, request),
    accessLine: (request, status, bytes) =>
      `${remoteOf(request)} - - [${commonLogTime(context.clock.now())}] "${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}" ${status} ${bytes}`,
    bindError: (at, errno, text) =>
      `(${errno})${text}: AH00072: make_sock: could not bind to address 0.0.0.0:80 (${at})\nno listening sockets available, shutting down`,
    greeting: [`AH00558: httpd: using ${context.ip} for ServerName`],
  });
}
