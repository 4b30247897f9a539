/** Node's UDP handles: a socket that is bound before a dgram.Socket takes it, so that it can be passed to another process. */
import { isIPv6 } from 'node:net';

/** The part of node's UDP wrap that is used here; dgram.Socket.bind takes one. */
export interface UdpHandle {
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  recvStart(): number;
  close(): void;
}

interface UdpBinding {
  readonly UDP: new () => UdpHandle;
}

// The cast is the boundary to what @types/node does not describe.
const internals = process as unknown as { binding(name: string): unknown };
const { UDP } = internals.binding('udp_wrap') as UdpBinding;

/** A bound socket, or the negated errno. */
export function bindUdp(address: string, port: number): UdpHandle | number {
  const handle = new UDP();
  const error = isIPv6(address) ? handle.bind6(address, port, 0) : handle.bind(address, port, 0);
  if (!error) return handle;
  handle.close();
  return error;
}
