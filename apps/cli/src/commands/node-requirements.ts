import { mkdirSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import { removeRoute, setRoute } from '../network/ip-route.js';

/** Makes the folders of a node. Throws ConfigError where this user may not. */
export function makeFolders(dirs: readonly string[]): void {
  for (const dir of dirs)
    try {
      mkdirSync(dir, { recursive: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new ConfigError(
        `cannot make the folder ${dir} (${code}): a node runs as root, or with --root-dir and --dataplane-socket of its own`,
        { cause: error },
      );
    }
}

/** Throws ConfigError when this process may not set routes: said before it becomes a node of the cluster. */
export async function requireRoutes(ranges: readonly string[]): Promise<void> {
  for (const to of ranges) {
    await setRoute({ to, kind: 'local' });
    await removeRoute({ to, kind: 'local' });
  }
}
