import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import { Fatal, forever, textOf } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { httpError, listenAddress, serveHttp } from '../http.js';

interface RunnerOptions {
  readonly LocalAddr?: string;
  readonly RemoteAddr?: string;
  readonly TimeoutSeconds?: number;
  readonly PostFinTimeoutSeconds?: number;
  readonly LeakConnection?: boolean;
}

type Say = (line: string) => void;
type Runner = (host: Agnhost, options: RunnerOptions, say: Say) => Promise<void>;

/** Connections that a client was told to leave open. */
const leaked: Socket[] = [];

export function splitAddress(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  if (port === undefined) throw new Error(`address ${text}: missing port in address`);
  return { host: bracketed ?? plain ?? '', port: Number(port) };
}

/** Accepts one client, ends its own side and holds the connection for a time. */
const closeWaitServer: Runner = async (host, options, say) => {
  const { host: address, port } = splitAddress(options.LocalAddr ?? '');
  const server = createServer({ allowHalfOpen: true });
  const socket = await new Promise<Socket>((resolve, reject) => {
    server.once('error', reject);
    server.once('connection', resolve);
    server.listen(port, listenAddress(host, address), () => {
      say(`Server listening on ${options.LocalAddr ?? ''}`);
    });
  });
  server.close();
  socket.on('error', () => undefined);
  say('Client connected');
  socket.end();
  const seconds = options.PostFinTimeoutSeconds ?? 0;
  say(`Server sent FIN, waiting ${seconds} seconds`);
  await host.clock.sleep(seconds * 1000);
  socket.destroy();
  say('Done');
};

/** Connects, waits for the server's end and stays half-closed. */
const closeWaitClient: Runner = async (host, options, say) => {
  const { host: address, port } = splitAddress(options.RemoteAddr ?? '');
  const socket = connect({ host: listenAddress(host, address), port, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => {
      say('Connected to server');
    });
    socket.once('error', reject);
    socket.once('data', () => {
      reject(new Error('Got data but expected EOF'));
    });
    socket.once('end', resolve);
    const seconds = options.TimeoutSeconds ?? 0;
    if (seconds > 0)
      host.clock.after(
        seconds * 1000,
        () => {
          reject(new Error(`read tcp ->${options.RemoteAddr ?? ''}: i/o timeout`));
        },
        { unref: true },
      );
  });
  const seconds = options.PostFinTimeoutSeconds ?? 0;
  say(`Server has half-closed the connection, waiting ${seconds} seconds`);
  if (options.LeakConnection) {
    say('Leaking client connection (assigning to global variable)');
    leaked.push(socket);
  }
  await host.clock.sleep(seconds * 1000);
  if (!options.LeakConnection) socket.destroy();
  say('Done');
};

const RUNNERS: Readonly<Record<string, Runner>> = {
  'nat-closewait-client': closeWaitClient,
  'nat-closewait-server': closeWaitServer,
};

async function execute(
  host: Agnhost,
  name: string,
  options: string,
): Promise<{ output: string; problem?: string }> {
  const lines: string[] = [];
  const output = (): string => lines.map((line) => `# ${line}\n`).join('');
  try {
    const runner = RUNNERS[name];
    if (!runner) throw new Error(`Invalid runner: '${name}', see --help`);
    host.log(`Options: ${options}`);
    await runner(host, JSON.parse(options) as RunnerOptions, (line) => lines.push(line));
    return { output: output() };
  } catch (error) {
    return { output: output(), problem: textOf(error) };
  }
}

/** k8s test/images/agnhost/net: tests of networks, at once or on request. */
export const net: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, { serve: '', runner: '', options: '' });
  if (flags.runner === '' && flags.serve === '')
    throw new Fatal('Must set either --runner or --serve, see --help');
  if (flags.serve === '') {
    const { output, problem } = await execute(host, flags.runner, flags.options);
    if (problem !== undefined) host.log(`Error: ${problem}`);
    host.print(`output:\n\n${output}`);
    return problem === undefined ? 0 : 1;
  }
  const { host: address, port } = splitAddress(flags.serve);
  host.log(`Running server on ${flags.serve}`);
  await serveHttp(host, {
    port,
    address,
    handler: async ({ path, body }) => {
      const name = /^\/run\/([^/]+)$/.exec(path)?.[1];
      if (name === undefined) return httpError(400, `invalid request to run: ${path}`);
      const { output, problem } = await execute(host, name, body.toString('utf8'));
      return problem === undefined
        ? { body: `ok\noutput:\n\n${output}` }
        : httpError(500, `Error from runner: ${problem}\noutput:\n\n${output}`);
    },
  });
  return forever();
};
