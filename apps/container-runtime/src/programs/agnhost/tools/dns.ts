import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fatal } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';

/** The words behind the first line of /etc/resolv.conf that begins with `keyword`. */
function wordsOf({ root }: Agnhost, keyword: string): string[] {
  const line = readFileSync(join(root, '/etc/resolv.conf'), 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(keyword));
  if (line === undefined) throw new Fatal('Could not find DNS search list!');
  return line.split(' ').slice(1);
}

/** k8s test/images/agnhost/dns. */
export const dnsSuffix: SubCommand = (host) => {
  host.print(`${wordsOf(host, 'search').join(',')}\n`);
  return Promise.resolve(0);
};

export const dnsServerList: SubCommand = (host) => {
  host.print(`${wordsOf(host, 'nameserver').join(',')}\n`);
  return Promise.resolve(0);
};

export const etcHosts: SubCommand = (host) => {
  host.print(`${readFileSync(join(host.root, '/etc/hosts'), 'utf8')}\n`);
  return Promise.resolve(0);
};
