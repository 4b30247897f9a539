import { Cluster } from '../../cluster/cluster.js';
import { TIMERS } from '../../cluster/etcd-cluster.js';
import { cleanNamespaces } from '../../load/clean.js';
import { toKey, toPath } from '../../load/config-map.js';
import { HttpSession, field } from '../../load/http-session.js';
import type { RowContext } from '../row.js';
import type { KnownBug } from './known-bug.js';

const KEY = toKey('ns1', 'pod');

/**
 * kubernetes#59848: resourceVersion 0 goes back in time. A replica that is cut off from etcd answers from its cache what
 * another replica had answered newer before. Without resourceVersion the same reads must never go back.
 */
export const staleRvZero: KnownBug = {
  name: 'stale RV=0 (kubernetes#59848)',
  run: async (context: RowContext) => {
    await using cluster = await Cluster.start({
      ...context,
      timers: TIMERS.fast,
      members: 1,
      replicas: ['cache', 'cache'],
    });
    await cleanNamespaces(cluster);
    const [fresh, frozen] = [cluster.server(0), cluster.server(1)];
    const session = new HttpSession('bug');
    const send = async (server: string, method: string, path: string, body?: unknown) =>
      Number(
        field(
          (await session.send({ server, method, path, body, timeoutMs: 1000 })).json,
          'metadata',
          'resourceVersion',
        ),
      );
    const write = (method: string, path: string, v: string) =>
      send(fresh.directUrl, method, path, { metadata: { name: 'pod' }, data: { v } });
    const first = await write('POST', toPath('configmaps/ns1'), '1');
    // A consistent read: the second replica's cache has the object from now on.
    await send(frozen.directUrl, 'GET', toPath(KEY));
    frozen.policies.etcd.isBlocked = true;
    const second = await write('PUT', toPath(KEY), '2');
    const zero = `${toPath(KEY)}?resourceVersion=0`;
    const a = await send(fresh.directUrl, 'GET', zero);
    const b = await send(frozen.directUrl, 'GET', zero);
    const consistent = await send(frozen.directUrl, 'GET', toPath(KEY));
    frozen.policies.etcd.isBlocked = false;
    frozen.update();
    session.close();
    return {
      isReproduced: a === second && b === first,
      isViolation: consistent === first,
      detail: `RV=0 answered ${a}, then ${b} on the other replica; without resourceVersion the cut-off replica ${Number.isNaN(consistent) ? 'refused' : `answered ${consistent}`}`,
    };
  },
};
