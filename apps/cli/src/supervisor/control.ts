import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { rmSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import type { ProcessView, Supervisor } from './supervisor.js';

const SIGNALS = ['SIGTERM', 'SIGKILL', 'SIGSTOP', 'SIGCONT', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];

/** `POST /processes/<name>/<verb>`: what `orrery kill|stop|start` ask of a running cluster. */
export type ControlVerb = 'start' | 'stop' | `signal-${Signal}`;

const toVerb = (text: string): ControlVerb | undefined =>
  text === 'start' || text === 'stop' || SIGNALS.some((signal) => text === `signal-${signal}`)
    ? (text as ControlVerb)
    : undefined;

async function act(
  supervisor: Supervisor,
  name: string,
  verb: ControlVerb,
): Promise<string | undefined> {
  const process = supervisor.find(name);
  if (!process) {
    const names = supervisor.view().map((view) => view.name);
    return `no process ${name}; one of ${names.join(', ')}`;
  }
  if (verb === 'start') process.start();
  else if (verb === 'stop') await process.stop();
  else if (!process.kill(verb.slice('signal-'.length) as Signal)) return `${name} is not running`;
  return undefined;
}

async function answer(
  supervisor: Supervisor,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const [, , name, verbText] = (req.url ?? '').split('/');
  const verb = toVerb(verbText ?? '');
  const problem =
    req.method === 'GET'
      ? undefined
      : name && verb
        ? await act(supervisor, decodeURIComponent(name), verb)
        : `unknown request ${req.url}`;
  res.writeHead(problem ? 400 : 200, { 'content-type': 'application/json' });
  res.end(JSON.stringify(problem ? { error: problem } : { processes: supervisor.view() }));
}

/** Serves the supervisor on a unix socket that only this user can open. */
export function serveControl(socket: string, supervisor: Supervisor): Promise<Server> {
  rmSync(socket, { force: true });
  const server = createServer((req, res) => {
    answer(supervisor, req, res).catch((error: unknown) => {
      res.writeHead(500).end(JSON.stringify({ error: String(error) }));
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, () => {
      resolve(server);
    });
  });
}

/** Asks the running cluster of this socket. Throws ConfigError when none runs or it refuses. */
export function askControl(
  socket: string,
  path: string,
  method: 'GET' | 'POST',
): Promise<readonly ProcessView[]> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath: socket, path, method }, (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part));
      res.on('end', () => {
        const body = JSON.parse(Buffer.concat(parts).toString()) as {
          error?: string;
          processes?: ProcessView[];
        };
        if (body.error) reject(new ConfigError(body.error));
        else resolve(body.processes ?? []);
      });
    });
    req.on('error', (error) => {
      reject(
        new ConfigError(`no cluster is running here (${socket}); start one with npm start`, {
          cause: error,
        }),
      );
    });
    req.end();
  });
}
