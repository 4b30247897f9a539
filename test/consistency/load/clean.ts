import { eventually } from '@orrery/testkit';
import type { Cluster } from '../cluster/cluster.js';
import { NAMESPACES, RESOURCE } from './config-map.js';
import { HttpSession, field } from './http-session.js';

/** Makes the clients' namespaces, empties them, and waits until every API server shows them empty. */
export async function cleanNamespaces({ servers }: Cluster): Promise<void> {
  const session = new HttpSession('harness');
  const first = servers[0]?.directUrl ?? '';
  const ask = async (server: string, method: string, path: string, body?: unknown) => {
    const { code = 0, json } = await session.send({ server, method, path, body });
    return { code, json };
  };
  try {
    for (const namespace of NAMESPACES)
      await eventually(
        async () => {
          const body = { metadata: { name: namespace } };
          const { code } = await ask(first, 'POST', '/api/v1/namespaces', body);
          if (code !== 201 && code !== 409) throw new Error(`namespace ${namespace}: ${code}`);
          const path = `/api/v1/namespaces/${namespace}/${RESOURCE}`;
          const deleted = await ask(first, 'DELETE', path);
          if (deleted.code !== 200) throw new Error(`delete ${path}: ${deleted.code}`);
        },
        { timeoutMs: 20_000, intervalMs: 100 },
      );
    for (const { directUrl } of servers)
      await eventually(
        async () => {
          const { code, json } = await ask(directUrl, 'GET', `/api/v1/${RESOURCE}`);
          const items = field(json, 'items');
          if (code !== 200 || !Array.isArray(items)) throw new Error(`list: ${code}`);
          const left = items.filter((item) =>
            NAMESPACES.some((namespace) => namespace === field(item, 'metadata', 'namespace')),
          );
          if (left.length > 0) throw new Error(`${left.length} objects are left`);
        },
        { timeoutMs: 20_000, intervalMs: 50 },
      );
  } finally {
    session.close();
  }
}
