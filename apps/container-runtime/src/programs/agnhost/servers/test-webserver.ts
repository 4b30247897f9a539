import { readFileSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { forever } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { httpError, serveHttp } from '../http.js';
import type { Exchange, Reply } from '../http.js';

const HEADERS = {
  'Cache-Control': 'private',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
  'Access-Control-Allow-Headers':
    'DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,X-Requested-With,Cache-Control,Content-Type',
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
};

const HTML = 'text/html; charset=utf-8';

function listing(folder: string): Reply {
  const entries = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const name = entry.isDirectory() ? `${entry.name}/` : entry.name;
    return `<a href="${encodeURI(name)}">${name}</a>`;
  });
  return {
    headers: { ...HEADERS, 'Content-Type': HTML },
    body: `<pre>\n${entries.sort().join('\n')}\n</pre>\n`,
  };
}

function fileOf(host: Agnhost, { path }: Exchange): Reply {
  const wanted = decodeURIComponent(path);
  if (wanted.split('/').includes('..')) return httpError(400, 'invalid URL path');
  const file = join(host.root, wanted);
  if (!statSync(file).isDirectory())
    return {
      headers: { ...HEADERS, 'Content-Type': TYPES[extname(file)] ?? 'text/plain; charset=utf-8' },
      body: readFileSync(file),
    };
  if (!wanted.endsWith('/'))
    return { status: 301, headers: { ...HEADERS, Location: `${path}/` }, body: '' };
  const index = join(file, 'index.html');
  return statSync(index, { throwIfNoEntry: false })
    ? { headers: { ...HEADERS, 'Content-Type': HTML }, body: readFileSync(index) }
    : listing(file);
}

/** k8s test/images/agnhost/test-webserver: the container's files over HTTP. */
export const testWebserver: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, { port: 80 });
  await serveHttp(host, {
    port: flags.port,
    handler: (exchange) => {
      try {
        return fileOf(host, exchange);
      } catch {
        return { ...httpError(404, '404 page not found') };
      }
    },
  });
  return forever();
};
