import { afterAll, beforeAll, jest } from '@jest/globals';
import { getState } from 'jest-circus';
import type { Circus } from '@jest/types';
import { Cluster } from './cluster.js';
import type { ClusterOptions } from './cluster.js';

const START_MS = 120_000;
/** Of one test: a machine may be busy with other things. */
const TEST_MS = 90_000;

const hasFailed = (block: Circus.DescribeBlock): boolean =>
  block.children.some((child) =>
    child.type === 'test' ? child.errors.length > 0 : hasFailed(child),
  );

/**
 * One cluster for the whole spec file: started before the first test, stopped after the last. A process that it leaves
 * behind fails the file; after a failure the ends of all logs are printed.
 */
export function useCluster(options: ClusterOptions = {}): Cluster {
  const cluster = new Cluster(options);
  jest.setTimeout(TEST_MS);
  beforeAll(async () => {
    await cluster.start();
  }, START_MS);
  afterAll(async () => {
    const { rootDescribeBlock, unhandledErrors } = getState();
    if (unhandledErrors.length > 0 || hasFailed(rootDescribeBlock))
      process.stderr.write(`${cluster.output}\n${cluster.logs()}\n`);
    await cluster.destroy();
  }, START_MS);
  return cluster;
}
