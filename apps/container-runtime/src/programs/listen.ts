import type { Server } from 'node:net';
import { reachablePort } from '@orrery/component';

/** The error text of bind(2) as a C program prints it. */
export function bindProblem(error: unknown): { errno: number; text: string } | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EADDRINUSE') return { errno: 98, text: 'Address already in use' };
  if (code === 'EACCES') return { errno: 13, text: 'Permission denied' };
  if (code === 'EADDRNOTAVAIL') return { errno: 99, text: 'Cannot assign requested address' };
  return undefined;
}

/** Listens on the port by which the pod's address answers on this machine. */
export function listenOn(server: Server, ip: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: ip, port: reachablePort(port), backlog: 511 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
