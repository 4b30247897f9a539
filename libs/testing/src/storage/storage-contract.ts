import { jestGlobals } from '../jest-globals.js';
import type { StorageUnderTest } from './contract-context.js';
import { readContract } from './read-contract.js';
import { watchContract } from './watch-contract.js';
import { writeContract } from './write-contract.js';

/**
 * The model of consistency.md 1.0-1.2, for any Storage: state-based, so that it holds for a cache and for etcd alike.
 * `make` is called once per test and may share a server, but never a keyspace.
 */
export function storageContract(name: string, make: () => Promise<StorageUnderTest>): void {
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
    writeContract(run);
    readContract(run);
    watchContract(run);
  });
}
