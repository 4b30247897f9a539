import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where test servers of this user keep what makes the next start quicker; it may be removed at any time. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'orrery', 'test-clusters');
