import type { IncomingMessage } from 'node:http';
import { commonLogTime, pathOf, remoteOf, runHttp, whoAmI } from '../http-program.js';
import type { HttpAnswer } from '../http-program.js';
import type { ProgramContext, RunningProgram } from '../program.js';
import { staticFile } from '../static-files.js';

const ROOT = '/usr/share/nginx/html';

/** `1.7.9` of tags such as 1.7.9, 1.25-alpine; the newest known for `latest` and its like. */
function versionOf(tag: string): string {
  return /^\d+(?:\.\d+)*/.exec(tag)?.[0] ?? '1.29.0';
}

function errorPage(status: string, server: string): string {
  return `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n<hr><center>${server}</center>\r\n</body>\r\n</html>\r\n`;
}

function welcome(context: ProgramContext): string {
  return `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and working.</p>
<pre>
${whoAmI(context)}</pre>
</body>
</html>
`;
}

function answer(context: ProgramContext, server: string, request: IncomingMessage): HttpAnswer {
  const html = { 'Content-Type': 'text/html' };
  const path = pathOf(request);
  if (path === undefined)
    return { status: 400, headers: html, body: errorPage('400 Bad Request', server) };
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, headers: html, body: errorPage('405 Not Allowed', server) };
  const file = staticFile(context, ROOT, path);
  if (file === 'missing')
    return path.endsWith('/')
      ? { status: 403, headers: html, body: errorPage('403 Forbidden', server) }
      : { status: 404, headers: html, body: errorPage('404 Not Found', server) };
  if (file) return { status: 200, headers: { 'Content-Type': file.type }, body: file.body };
  if (path === '/' || path === '/index.html')
    return { status: 200, headers: html, body: welcome(context) };
  return { status: 404, headers: html, body: errorPage('404 Not Found', server) };
}

function errorTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
}

export function nginx(context: ProgramContext): Promise<RunningProgram> {
  const server = `nginx/${versionOf(context.tag)}`;
  const { clock } = context;
  return runHttp(context, {
    port: 80,
    server,
    answer: (request) => answer(context, server, request),
    accessLine: (request, status, bytes) =>
      `${remoteOf(request)} - - [${commonLogTime(clock.now())}] "${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}" ${status} ${bytes} "${request.headers.referer ?? '-'}" "${request.headers['user-agent'] ?? '-'}" "-"`,
    bindError: (at, errno, text) =>
      `${errorTime(clock.now())} [emerg] 1#1: bind() to 0.0.0.0:80 failed (${errno}: ${text})\nnginx: [emerg] bind() to 0.0.0.0:80 failed (${errno}: ${text}) (${at})`,
    greeting: [`${errorTime(clock.now())} [notice] 1#1: ${server}`],
  });
}
