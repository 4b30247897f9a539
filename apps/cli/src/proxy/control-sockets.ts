import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '@orrery/component';
import { DataplaneClient } from '@orrery/dataplane';
import type { RuledConnection } from '@orrery/dataplane';

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** The sockets of processes that have handed over and still keep connections (apps/dataplane/src/serve.ts:listen). */
function predecessors(socket: string): string[] {
  const own = new RegExp(String.raw`^${escaped(basename(socket))}\.[a-z0-9]+$`);
  const now = realpathSync(socket);
  return readdirSync(dirname(now))
    .filter((file) => own.test(file) && !/\.(fd|link)$/.test(file))
    .map((file) => join(dirname(now), file))
    .filter((path) => path !== now);
}

/** What the dataplane at this socket relays, and what those before it relay to the end; these may have ended. */
export async function connectionsAt(socket: string): Promise<readonly RuledConnection[]> {
  const found = [...(await new DataplaneClient(socket).connections())];
  for (const path of predecessors(socket))
    found.push(...(await new DataplaneClient(path).connections().catch(() => [])));
  return found;
}

/** The control sockets in a cluster's folder: one, or one a node. */
export function controlSockets(dir: string, cluster: string): string[] {
  try {
    const files = readdirSync(dir).filter((file) => /^dataplane(-[^.]+)?\.sock$/.test(file));
    return files.map((file) => join(dir, file));
  } catch (error) {
    throw new ConfigError(`the cluster ${cluster} is not running here`, { cause: error });
  }
}
