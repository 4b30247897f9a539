import { spawnSync } from 'node:child_process';

const run = (...argv: string[]): string => {
  const [file = '', ...args] = argv;
  const { stdout, status } = spawnSync(file, args, { encoding: 'utf8' });
  return status === 0 ? stdout : '';
};

/** Why no node can have a network namespace of its own here; undefined when one can. */
export function noNamespaces(): string | undefined {
  const { status, error, stderr } = spawnSync('unshare', ['--net', 'ip', 'link'], {
    encoding: 'utf8',
  });
  if (status !== 0) return `no network namespaces: ${error?.message ?? stderr.trim()}`;
  return run('iptables', '--version') === '' ? 'iptables is not installed' : undefined;
}

/** Everything of this host's network that a cluster could leave behind. */
export function networkState(): Readonly<Record<string, string>> {
  const lines = (text: string): string =>
    text
      .split('\n')
      // Counters, other clusters of tests that run at the same time, and Docker’s.
      .filter(
        (line) =>
          !/^[#:]|valid_lft|orrery\d+|198\.18\.|docker|172\.\d+\.|\bveth|\bbr-[0-9a-f]{12}/i.test(
            line,
          ),
      )
      .join('\n');
  return {
    addresses: lines(run('ip', '-o', 'address')),
    routes: lines(run('ip', 'route', 'show', 'table', 'all')),
    routes6: lines(run('ip', '-6', 'route', 'show', 'table', 'all')),
    iptables: lines(run('iptables-save')),
    ip6tables: lines(run('ip6tables-save')),
  };
}

/** The network namespaces and links of one cluster. */
export const namespacesOf = (block: number): string =>
  [run('ip', 'netns', 'list'), run('ip', '-o', 'link')]
    .join('\n')
    .split('\n')
    .filter((line) => new RegExp(`orrery-?${block}[-@:]`).test(line))
    .join('\n');
