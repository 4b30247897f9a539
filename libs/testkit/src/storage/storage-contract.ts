import { jestGlobals } from '../jest-globals.js';
import type { StorageUnderTest } from './contract-context.js';
import { promiseContract } from './promise-contract.js';
import { readContract } from './read-contract.js';
import { watchContract } from './watch-contract.js';
import { writeContract } from './write-contract.js';

const PARTS = {
  write: writeContract,
  read: readContract,
  watch: watchContract,
  promises: promiseContract,
} as const;

/**
 * The model of consistency.md 1.0-1.2, for any Storage: state-based, so that it holds for a cache and for etcd alike.
 * `make` is called once per test and may share a server, but never a keyspace. `parts`: those that the storage is for.
 */
export function storageContract(
  name: string,
  make: () => Promise<StorageUnderTest>,
  parts: readonly (keyof typeof PARTS)[] = ['write', 'read', 'watch'],
): void {
  const { describe } = jestGlobals();
  const run = async (test: (subject: StorageUnderTest) => Promise<void>): Promise<void> => {
    const subject = await make();
    try {
      await test(subject);
    } finally {
      await subject.stop();
    }
  };
  describe(`storage contract: ${name}`, () => {
    for (const part of parts) PARTS[part](run);
  });
}
