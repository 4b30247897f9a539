import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SystemRandom, randomSuffix } from '@orrery/component';
import { isHealthy } from '@orrery/storage';

import { jestGlobals } from '../jest-globals.js';
import { startEtcd } from './start-etcd.js';

/** What a spec gets of the worker's etcd. Readable once Jest runs the spec's hooks. */
export interface SharedEtcd {
  readonly endpoints: readonly string[];
  /** A keyspace of this spec's own: `/<random>/`. */
  readonly keyspace: string;
}

/**
 * Shares one single-member etcd among all specs of a Jest worker. Jest gives every spec file modules and globals of
 * its own, so what is shared is found by a file named after the worker's pid. Do not compact, pause or kill it.
 */
export function useEtcd(): SharedEtcd {
  let endpoints: readonly string[] | undefined;
  const keyspace = `/${randomSuffix(new SystemRandom(), 8)}/`;
  jestGlobals().beforeAll(async () => {
    endpoints = await sharedEndpoints();
  }, 30_000);
  return {
    keyspace,
    get endpoints() {
      if (!endpoints) throw new Error('useEtcd(): etcd is there only once the hooks have run');
      return endpoints;
    },
  };
}

async function sharedEndpoints(): Promise<readonly string[]> {
  const file = join(tmpdir(), `orrery-test-etcd-${process.pid}`);
  const known = readIfThere(file);
  if (known && (await isHealthy(known))) return [known];
  const etcd = await startEtcd({ alsoRemove: [file] });
  writeFileSync(file, etcd.member.endpoint);
  return etcd.endpoints;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
