import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseDuration } from '@orrery/component';
import { Fatal, forever } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { hostPort, httpError, json, redirection, routed, serveHttp } from '../http.js';
import type { Exchange, Handler, Reply, Routes } from '../http.js';
import { serveUdp } from '../udp.js';
import { dial } from './netexec-dial.js';

const FLAGS = {
  'http-port': 8080,
  'udp-port': 8081,
  'sctp-port': -1,
  'tls-cert-file': '',
  'tls-private-key-file': '',
  'http-override': '',
  /** Separated by commas; none = all. */
  'udp-listen-addresses': '',
  /** Seconds that it goes on after SIGTERM. */
  'delay-shutdown': 0,
};

/** A value of a query that must be a number when it is there; the complaint when it is not. */
function codeOf(query: URLSearchParams, what: string): number | Reply | undefined {
  const text = query.get('code') ?? '';
  if (text === '') return undefined;
  if (/^-?\d+$/.test(text)) return Number(text);
  return { body: `argument 'code' must be ${what} or empty, got "${text}"\n` };
}

function echo(host: Agnhost, { query }: Exchange): Reply {
  const message = query.get('msg') ?? '';
  host.log(`GET /echo?msg=${message}&code=${query.get('code') ?? ''}`);
  const status = codeOf(query, 'an integer');
  return typeof status === 'object' ? status : { status: status ?? 200, body: message };
}

function redirect(host: Agnhost, { query, method }: Exchange): Reply {
  const location = query.get('location') ?? '';
  host.log(`${method} /redirect?msg=${location}&code=${query.get('code') ?? ''}`);
  const status = codeOf(query, 'an integer') ?? 302;
  if (typeof status === 'object') return status;
  return redirection(location, status);
}

function durationOf(query: URLSearchParams, name: string): number | Reply {
  const text = query.get(name) ?? '';
  return (
    parseDuration(text === '' ? '0' : text) ?? {
      body: `argument '${name}' must be a valid golang duration or empty, got "${text}"\n`,
    }
  );
}

async function exit(host: Agnhost, { query }: Exchange, shutdown: () => void): Promise<Reply> {
  const wait = durationOf(query, 'wait');
  const timeout = durationOf(query, 'timeout');
  const code = codeOf(query, 'an integer [0-127]') ?? 0;
  const wrong = [timeout, wait, code].find((value) => typeof value === 'object');
  if (wrong) return wrong;
  host.log(
    `Will begin shutdown in ${Number(wait) / 1000}s, allowing ${Number(timeout) / 1000}s for connections to close, then will exit with ${Number(code)}`,
  );
  await host.clock.sleep(Number(wait));
  if (timeout === 0) host.exit(Number(code));
  shutdown();
  host.clock.after(Number(timeout), () => {
    host.log('Graceful shutdown completed with: <nil>');
    host.exit(Number(code));
  });
  return {};
}

function shell(host: Agnhost, { query }: Exchange): Promise<Reply> {
  const command = query.get('shellCommand') || query.get('cmd') || '';
  host.log(`GET /shell?cmd=${command}`);
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', `{ ${command}\n} 2>&1`], (error, stdout) => {
      const why =
        typeof error?.code === 'number' ? `exit status ${error.code}` : (error?.message ?? '');
      const output = {
        ...(error ? { error: why } : {}),
        ...(stdout === '' ? {} : { output: stdout }),
      };
      host.log(`Output: ${JSON.stringify(output)}`);
      resolve(json(output));
    });
  });
}

/** The first part called `file` of a multipart body. */
export function uploadedFile(exchange: Exchange): Buffer | undefined {
  const boundary = /boundary="?([^";]+)/.exec(exchange.headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) return undefined;
  const text = exchange.body.toString('latin1');
  const part = text
    .split(`--${boundary}`)
    .find((candidate) => /name="file"/i.test(candidate.split('\r\n\r\n')[0] ?? ''));
  const from = part?.indexOf('\r\n\r\n') ?? -1;
  return part === undefined || from < 0
    ? undefined
    : Buffer.from(part.slice(from + 4, part.lastIndexOf('\r\n')), 'latin1');
}

function upload(host: Agnhost, exchange: Exchange): Reply {
  host.log('GET /upload');
  const file = uploadedFile(exchange);
  if (!file) return json({ error: 'Unable to upload file.' });
  const path = `/uploads/upload${host.random.uuid().replaceAll('-', '').slice(0, 9)}`;
  try {
    const real = join(host.root, path);
    writeFileSync(real, file);
    chmodSync(real, 0o700);
  } catch {
    return json({ error: 'Unable to open file for write' });
  }
  host.log(`Wrote upload to ${path}`);
  return json({ output: path }, 201);
}

interface ServerState {
  /** The server of datagrams is there. */
  ready: boolean;
  /** SIGTERM has come. */
  isEnding: boolean;
}

/** netexec.go:readyzHandler: no longer ready since SIGTERM, while /healthz stays well. */
export function readyz({ ready, isEnding }: ServerState): Reply {
  if (isEnding) return { status: 503, body: 'shutting down' };
  return ready ? { body: 'ok' } : { status: 412 };
}

function routesOf(host: Agnhost, state: ServerState, shutdown: () => void): Routes {
  const said =
    (what: string, body: (exchange: Exchange) => string): Handler =>
    (exchange) => {
      host.log(`GET ${what}`);
      return { body: body(exchange) };
    };
  return {
    '/': said('/', () => `NOW: ${new Date(host.clock.now()).toISOString()}`),
    '/clientip': said('/clientip', ({ remote }) => remote),
    '/hostname': said('/hostname', hostname),
    '/hostName': said('/hostName', hostname),
    '/dial': (exchange) => dial(host, exchange),
    '/echo': (exchange) => echo(host, exchange),
    '/exit': (exchange) => exit(host, exchange, shutdown),
    '/header': ({ query, headers }) => ({
      body: String(headers[(query.get('key') ?? '').toLowerCase()] ?? ''),
    }),
    '/healthz': () => {
      host.log('GET /healthz');
      return state.ready ? {} : { status: 412 };
    },
    '/readyz': () => {
      host.log('GET /readyz');
      return readyz(state);
    },
    '/redirect': (exchange) => redirect(host, exchange),
    '/shell': (exchange) => shell(host, exchange),
    '/shutdown': () => {
      host.exit(0);
      return {};
    },
    '/upload': (exchange) => upload(host, exchange),
  };
}

/** What the UDP server says to a command; undefined for one that it does not know. */
export function udpAnswer(text: string, client: string): string | undefined {
  const command = text.trim().toLowerCase();
  if (command === 'hostname') return hostname();
  if (command === 'clientip') return client;
  return command.startsWith('echo ') ? command.slice('echo '.length) : undefined;
}

/** Each once; throws Fatal for what is no address (k8s test/images/agnhost/netexec/netexec.go:parseAddresses). */
export function listenAddresses(text: string, all: string): string[] {
  if (text === '') return [all];
  const addresses = text.split(',');
  const odd = addresses.find((address) => isIP(address) === 0);
  if (odd !== undefined) throw new Fatal(`parseAddress: invalid address ${odd}`);
  return [...new Set(addresses)];
}

async function startUdp(host: Agnhost, port: number): Promise<void> {
  await serveUdp(host, port, (message, from) => {
    const client = hostPort(from.address.replace(/^::ffff:/, ''), from.port);
    const answer = udpAnswer(message.toString('utf8'), client);
    if (answer === undefined)
      host.log(`Unknown UDP command received from ${client}: ${message.toString('utf8').trim()}\n`);
    else host.log(`Answering UDP client ${client}`);
    return answer;
  });
  host.log(`Started UDP server on port ${port}`);
}

/** Serves on for so long after SIGTERM; 0 = not at all. */
export function delayShutdown(host: Agnhost, seconds: number, state: ServerState): void {
  if (seconds <= 0) return;
  host.onTerminate(() => {
    state.isEnding = true;
    host.log(`Sleeping ${seconds} seconds before terminating...`);
    host.clock.after(seconds * 1000, () => {
      host.exit(0);
    });
  });
}

/** k8s test/images/agnhost/netexec: a server of HTTP and UDP that does what it is asked. */
export const netexec: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, FLAGS);
  const state = { ready: false, isEnding: false };
  delayShutdown(host, flags['delay-shutdown'], state);
  let close = (): void => undefined;
  const direct = routed(
    routesOf(host, state, () => {
      close();
    }),
  );
  const override = flags['http-override'];
  const [path = '', search = ''] = override.split('?', 2);
  const handler: Handler =
    override === ''
      ? direct
      : (exchange) =>
          direct({ ...exchange, method: 'GET', path, query: new URLSearchParams(search) });
  if (flags['udp-port'] !== -1)
    for (const listen of listenAddresses(flags['udp-listen-addresses'], host.listen))
      await startUdp({ ...host, listen }, flags['udp-port']);
  state.ready = true;
  if (flags['sctp-port'] !== -1) host.log('SCTP is not there on this host');
  const certFile = flags['tls-cert-file'];
  const server = await serveHttp(host, {
    port: flags['http-port'],
    handler: (exchange) => handler(exchange) ?? httpError(404, '404 page not found'),
    tls: certFile === '' ? undefined : { certFile, keyFile: flags['tls-private-key-file'] },
  });
  close = () => server.close();
  host.log(`Started HTTP server on port ${flags['http-port']}`);
  return forever();
};
