import { isIP } from 'node:net';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { candidates, query, settingsOf } from './resolver.js';

async function addressesOf(servers: readonly string[], name: string): Promise<string[]> {
  const [v4, v6] = await Promise.all(
    ['A', 'AAAA'].map((type) => query(servers, name, type).catch(() => [])),
  );
  return [...(v4 ?? []), ...(v6 ?? [])];
}

async function aliasOf(servers: readonly string[], name: string): Promise<string | undefined> {
  const [target] = await query(servers, name, 'CNAME').catch(() => []);
  return target;
}

async function lookUp(host: Agnhost, name: string, servers: readonly string[]): Promise<boolean> {
  for (const one of candidates(name, settingsOf(host))) {
    const alias = await aliasOf(servers, one);
    const addresses = await addressesOf(servers, one);
    if (alias === undefined && addresses.length === 0) continue;
    if (alias !== undefined) host.print(`${one}\tcanonical name = ${alias}\n`);
    const owner = alias?.slice(0, -1) ?? one;
    for (const address of addresses) host.print(`Name:\t${owner}\nAddress: ${address}\n`);
    return true;
  }
  return false;
}

/** nslookup(1) of BIND for one name. */
export const nslookup: SubCommand = async (host) => {
  const [name = '', server] = host.args.filter((word) => !word.startsWith('-'));
  const servers = server === undefined ? settingsOf(host).servers : [server];
  const [first = ''] = servers;
  host.print(`Server:\t\t${first}\nAddress:\t${first}#53\n\n`);
  if (isIP(name)) {
    const reversed = `${name.split('.').reverse().join('.')}.in-addr.arpa`;
    const targets = await query(servers, reversed, 'PTR').catch(() => []);
    for (const target of targets) host.print(`${reversed}\tname = ${target}\n`);
    return targets.length > 0 ? 0 : 1;
  }
  if (await lookUp(host, name, servers)) return 0;
  host.print(`** server can't find ${name}: NXDOMAIN\n\n`);
  return 1;
};
