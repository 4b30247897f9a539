import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { insideNetns } from '@orrery/network';

/**
 * Joins its standard input and output with a port of its own network's localhost, of IPv4 or else of IPv6, as containerd
 * does; 7 = it could not connect.
 */
const RELAY = `
const { connect } = require('node:net');
function join([host, ...others], first) {
  const socket = connect({ host, port: Number(process.argv[1]), allowHalfOpen: true, noDelay: true });
  let connected = false;
  socket.once('connect', () => { connected = true; process.stdin.pipe(socket); socket.pipe(process.stdout); });
  socket.once('error', (error) => {
    if (!connected && others.length > 0) return join(others, error);
    const { code, message } = connected ? error : (first ?? error);
    process.stderr.write(code === 'ECONNREFUSED' ? 'connect: connection refused' : message);
    process.exitCode = 7;
    process.stdin.destroy();
  });
  socket.once('close', () => { if (connected) process.stdin.destroy(); });
}
join(['127.0.0.1', '::1']);
`;

export interface InsideTarget {
  readonly netns: string;
  readonly sandboxId: string;
}

/** As forwardPort, by a process inside the pod's network namespace, so that servers of its localhost are reached. */
export function forwardInside(
  client: Duplex,
  { netns, sandboxId }: InsideTarget,
  port: number,
): Promise<string> {
  const { file, args } = insideNetns(netns, process.execPath, ['-e', RELAY, String(port)]);
  return new Promise((resolve) => {
    const child = spawn(file, [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stdin.on('error', () => undefined);
    client.pipe(child.stdin);
    child.stdout.pipe(client);
    const end = (why: string): void => {
      client.end();
      const at = `failed to connect to localhost:${port} inside namespace "${sandboxId}"`;
      resolve(
        why === ''
          ? ''
          : `error forwarding port ${port} to pod ${sandboxId}, uid : ${at}: dial tcp4 127.0.0.1:${port}: ${why}`,
      );
    };
    child.once('error', (error) => {
      end(error.message);
    });
    child.once('close', (code) => {
      end(code === 0 ? '' : said || `relay ended with ${code ?? 'a signal'}`);
    });
    for (const event of ['error', 'close'])
      client.once(event, () => {
        child.kill();
      });
  });
}
