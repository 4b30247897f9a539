import { promises as dns } from 'node:dns';
import { ConfigError } from '@orrery/component';

const escaped = (text: string): string => text.replaceAll(/[^a-z0-9]/g, String.raw`\$&`);

/**
 * `node-2` for the second container of the Compose service `node`, from the name at which other containers find it:
 * PROJECT_node_2.NETWORK (docker-compose 1.29) or PROJECT-node-2.NETWORK (Compose v2). Undefined for other names.
 */
export function serviceNodeName(service: string, containerName: string): string | undefined {
  const [, number] =
    new RegExp(`[-_]${escaped(service)}[-_](\\d+)(?:\\.|$)`).exec(containerName) ?? [];
  return number === undefined ? undefined : `${service}-${number}`;
}

/** The name of this node of a scaled service, as the DNS server of the engine knows `address`. Throws ConfigError. */
export async function findServiceNodeName(service: string, address: string): Promise<string> {
  // A question to the server itself: dns.reverse() would find this host's own line in /etc/hosts first.
  const pointer = `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  const names = await dns.resolvePtr(pointer).catch(() => []);
  for (const name of names) {
    const found = serviceNodeName(service, name);
    if (found !== undefined) return found;
  }
  throw new ConfigError(
    `--service ${service}: ${address} is ${names.join(', ') || 'nobody'} to the DNS server, and no container of that service; use --name`,
  );
}
