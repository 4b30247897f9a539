import { readFileSync } from 'node:fs';

/** Added to a port below 1024 that this process may not bind (architecture.md, mode loopback). */
export const LOW_PORT_OFFSET = 20_000;

const CAP_NET_BIND_SERVICE = 10n;

function lowestFreePort(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0';
    if ((BigInt(`0x${effective}`) >> CAP_NET_BIND_SERVICE) & 1n) return 0;
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    return process.getuid?.() === 0 ? 0 : 1024;
  }
}

const LOWEST = lowestFreePort();

/** The port on which `port` really answers here: itself, or 20000 + port where the machine refuses it. */
export function reachablePort(port: number, lowest = LOWEST): number {
  return port >= lowest || port === 0 ? port : port + LOW_PORT_OFFSET;
}
