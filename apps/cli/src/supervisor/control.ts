import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConfigError } from '@orrery/component';
import type { ProcessView, Supervisor } from './supervisor.js';

const SIGNALS = ['SIGTERM', 'SIGKILL', 'SIGSTOP', 'SIGCONT', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];

const WORDS = ['start', 'stop', 'succeed'] as const;

/** `POST /processes/<name>/<verb>`: what `orrery kill|stop|start` and `proxy handover` ask of a running cluster. */
export type ControlVerb = (typeof WORDS)[number] | `signal-${Signal}`;

const toVerb = (text: string): ControlVerb | undefined =>
  WORDS.some((word) => text === word) || SIGNALS.some((signal) => text === `signal-${signal}`)
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
  else if (verb === 'succeed') return process.succeed() ? undefined : `${name} is not running`;
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

/** A request that takes its time: lines of what is being done, then how it ended. Throws ConfigError when refused. */
export type ControlAction = (url: URL, say: (text: string) => void) => Promise<void>;

/** One line of such an answer. */
type ActionLine = { readonly say: string } | { readonly error: string } | { readonly done: true };

async function follow(
  action: ControlAction,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const line = (each: ActionLine): void => {
    res.write(`${JSON.stringify(each)}\n`);
  };
  res.writeHead(200, { 'content-type': 'application/x-ndjson' });
  try {
    await action(new URL(req.url ?? '/', 'http://control'), (say) => line({ say }));
    line({ done: true });
  } catch (error) {
    line({ error: error instanceof Error ? error.message : String(error) });
  }
  res.end();
}

/** Serves the supervisor on a unix socket that only this user can open; `/etcd/…` is `etcd`'s. */
export function serveControl(
  socket: string,
  supervisor: Supervisor,
  etcd?: ControlAction,
): Promise<Server> {
  rmSync(socket, { force: true });
  const server = createServer((req, res) => {
    const answering =
      etcd && req.url?.startsWith('/etcd/') ? follow(etcd, req, res) : answer(supervisor, req, res);
    answering.catch((error: unknown) => {
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

/** Has the running cluster do something and passes its lines on. Throws ConfigError when none runs or it refuses. */
export function streamControl(
  socket: string,
  path: string,
  print: (text: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = (text: string): void => {
      const line = JSON.parse(text) as { say?: string; error?: string; done?: true };
      if (line.say !== undefined) print(line.say);
      else if (line.error !== undefined) reject(new ConfigError(line.error));
      else if (line.done) resolve();
    };
    const req = request({ socketPath: socket, path, method: 'POST' }, (res) => {
      createInterface({ input: res }).on('line', take);
      res.on('end', () => {
        // After 'done' or an error this changes nothing.
        setImmediate(() => reject(new ConfigError('the cluster was stopped meanwhile')));
      });
    });
    req.on('error', (error) => reject(notRunning(socket, error)));
    req.end();
  });
}

const notRunning = (socket: string, cause: Error): ConfigError =>
  new ConfigError(`no cluster is running here (${socket}); start one with npm start`, { cause });

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
      reject(notRunning(socket, error));
    });
    req.end();
  });
}
