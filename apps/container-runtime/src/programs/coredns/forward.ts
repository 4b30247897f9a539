import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import type { Clock } from '@orrery/component';

const TIMEOUT_MS = 3_000;

/** The machine's own name servers. */
export function upstreams(path = '/etc/resolv.conf'): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => /^nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
      .filter((address) => isIP(address) !== 0);
  } catch {
    return [];
  }
}

/** Asks another server as it was asked; undefined when none answers. */
export async function forward(
  packet: Buffer,
  servers: readonly string[],
  clock: Clock,
): Promise<Buffer | undefined> {
  for (const server of servers) {
    const answer = await ask(packet, server, clock);
    if (answer) return answer;
  }
  return undefined;
}

function ask(packet: Buffer, server: string, clock: Clock): Promise<Buffer | undefined> {
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    const end = (answer?: Buffer): void => {
      cancel();
      socket.removeAllListeners();
      socket.close();
      resolve(answer);
    };
    const cancel = clock.after(TIMEOUT_MS, () => {
      end();
    });
    socket.once('error', () => {
      end();
    });
    socket.once('message', end);
    socket.connect(53, server, () => {
      socket.send(packet);
    });
  });
}
