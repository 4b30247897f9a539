import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { reachablePort } from '@orrery/component';
import { forwardInside } from './forward-inside.js';

export interface ForwardTarget {
  readonly ip: string;
  /** The pod's own network namespace, if it has one. */
  readonly netns: string | undefined;
  readonly sandboxId: string;
}

/** Connects `client` with a port of the pod; resolves when the pod has said everything, with the error text if it failed. */
export function forwardPort(
  client: Duplex,
  { ip, sandboxId, netns }: ForwardTarget,
  port: number,
): Promise<string> {
  if (netns !== undefined) return forwardInside(client, { netns, sandboxId }, port);
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: ip, port: reachablePort(port), allowHalfOpen: true });
    let connected = false;
    socket.setNoDelay(true);
    socket.once('connect', () => {
      connected = true;
      client.pipe(socket);
      socket.pipe(client);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message;
      if (!connected) client.end();
      resolve(
        `error forwarding port ${port} to pod ${sandboxId}, uid : failed to connect to ${ip}:${port} inside namespace: dial tcp4 ${ip}:${port}: ${why}`,
      );
    });
    // kubectl waits for the end of the error stream before it lets go of the data stream: the pod's end is the end.
    socket.once('end', () => {
      resolve('');
    });
    socket.once('close', () => {
      client.end();
      resolve('');
    });
    client.once('error', () => socket.destroy());
    client.once('close', () => socket.destroy());
  });
}
