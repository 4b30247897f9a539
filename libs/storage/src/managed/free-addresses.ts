import { createServer } from 'node:net';

import { ManagedEtcdError } from './managed-etcd-error.js';
import type { MemberOptions } from './member-command.js';

/**
 * Throws 'portInUse' or 'addressUnavailable' when a member could not listen. Without this look, another etcd that
 * answers at the address would pass for the one that could not bind it.
 */
export async function requireFreeAddresses(member: MemberOptions): Promise<void> {
  for (const url of [member.clientUrl, member.peerUrl]) {
    const code = await listenError(url);
    const { host } = new URL(url);
    if (code === 'EADDRINUSE') {
      throw new ManagedEtcdError(
        'portInUse',
        `etcd ${member.name}: another program listens on ${host}; end it, or choose another address`,
      );
    }
    if (code === 'EADDRNOTAVAIL') {
      throw new ManagedEtcdError(
        'addressUnavailable',
        `etcd ${member.name}: ${host} is not an address of this machine`,
      );
    }
  }
}

function listenError(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen(Number(port), hostname, () => server.close(() => resolve(undefined)));
  });
}
