import { ConfigError } from '@orrery/component';
import type { ControlAction } from '../supervisor/control.js';
import { Membership } from './membership.js';
import { restoreCluster } from './restore.js';
import { RunningEtcd } from './running-etcd.js';
import type { RunningEtcdOptions } from './running-etcd.js';

/** What `orrery etcd member …` and `snapshot restore` ask of a running cluster; one at a time. */
export function etcdActions(options: RunningEtcdOptions): ControlAction {
  const running = new RunningEtcd(options);
  const membership = new Membership(running);
  let busy = false;
  return async (url, say) => {
    const query = url.searchParams;
    const what = query.get('what') ?? undefined;
    const above = query.get('above');
    const work: Readonly<Record<string, () => Promise<void>>> = {
      '/etcd/add': () => membership.add(Number(what ?? 1), say),
      '/etcd/remove': () => membership.remove(what, say),
      '/etcd/replace': () => membership.replace(what, say),
      '/etcd/restore': () =>
        restoreCluster(
          running,
          { file: query.get('file') ?? '', ...(above === null ? {} : { above: Number(above) }) },
          say,
        ),
    };
    const run = work[url.pathname];
    if (!run) throw new ConfigError(`unknown request ${url.pathname}`);
    if (busy) throw new ConfigError('another change of etcd is under way; wait for its end');
    busy = true;
    try {
      await run();
    } finally {
      busy = false;
    }
  };
}
