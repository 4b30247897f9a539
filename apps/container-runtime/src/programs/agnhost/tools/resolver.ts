import { promises as dns } from 'node:dns';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agnhost } from '../agnhost.js';

/** The container's own /etc/resolv.conf. */
export interface ResolverSettings {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly ndots: number;
}

export function settingsOf({ root }: Agnhost): ResolverSettings {
  const text = readFileSync(join(root, '/etc/resolv.conf'), 'utf8');
  const all = (pattern: RegExp): string[] =>
    Array.from(text.matchAll(pattern), ([, value = '']) => value.trim());
  const [ndots = '1'] = all(/ndots:(\d+)/g);
  return {
    servers: all(/^nameserver\s+(\S+)/gm),
    searches: (all(/^search\s+(.*)$/gm)[0] ?? '').split(/\s+/).filter(Boolean),
    ndots: Number(ndots),
  };
}

/** The names that a name may mean, in the order in which they are tried (resolv.conf(5)). */
export function candidates(name: string, { searches, ndots }: ResolverSettings): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const longer = searches.map((domain) => `${name}.${domain}`);
  return name.split('.').length - 1 >= ndots ? [name, ...longer] : [...longer, name];
}

/** The data of each record, as dig prints it. */
export async function query(
  servers: readonly string[],
  name: string,
  type: string,
): Promise<string[]> {
  const resolver = new dns.Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers(servers);
  switch (type) {
    case 'A':
      return resolver.resolve4(name);
    case 'AAAA':
      return resolver.resolve6(name);
    case 'CNAME':
      return (await resolver.resolveCname(name)).map((target) => `${target}.`);
    case 'PTR':
      return (await resolver.resolvePtr(name)).map((target) => `${target}.`);
    case 'TXT':
      return (await resolver.resolveTxt(name)).map((parts) => `"${parts.join('')}"`);
    case 'SRV':
      return (await resolver.resolveSrv(name)).map(
        (one) => `${one.priority} ${one.weight} ${one.port} ${one.name}.`,
      );
    default:
      throw new Error(`unknown type ${type}`);
  }
}
