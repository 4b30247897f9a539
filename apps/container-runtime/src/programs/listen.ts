import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { reachablePort } from '@orrery/component';
import type { ProgramContext } from './program.js';

/** The error text of bind(2) as a C program prints it. */
export function bindProblem(error: unknown): { errno: number; text: string } | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EADDRINUSE') return { errno: 98, text: 'Address already in use' };
  if (code === 'EACCES') return { errno: 13, text: 'Permission denied' };
  if (code === 'EADDRNOTAVAIL') return { errno: 99, text: 'Cannot assign requested address' };
  return undefined;
}

/** Where a program listens. */
export type ListenAt = Pick<ProgramContext, 'listen' | 'moreListen'>;

function listenAt(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: reachablePort(port), backlog: 511 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Listens on the port by which the pod's addresses answer on this machine. */
export async function listenOn(server: Server, at: ListenAt | string, port: number): Promise<void> {
  const { listen, moreListen = [] } = typeof at === 'string' ? { listen: at } : at;
  await listenAt(server, listen, port);
  const { allowHalfOpen = false } = server as { allowHalfOpen?: boolean };
  try {
    for (const host of moreListen) {
      // A server has one address: what comes to the others is handed to it.
      const further = createServer({ noDelay: true, allowHalfOpen }, (socket) => {
        server.emit('connection', socket);
      });
      server.once('close', () => further.close());
      await listenAt(further, host, port);
    }
  } catch (error) {
    server.close();
    throw error;
  }
}
