import { describe, expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import { ConnectionError } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { SystemClock } from '@orrery/component';
import { ClusterFiles, addressesOf } from '../cluster/layout.js';
import { Progress } from '../progress.js';
import { furnish } from './run-cluster.js';

const input = {
  files: new ClusterFiles('/clusters/orrery'),
  addresses: addressesOf(42),
  etcdMembers: 1,
  nodes: 1,
  grouping: 'single' as const,
  standby: false,
  extraArgs: {},
  componentDir: '/dist',
  nodeBinary: '/usr/bin/node',
};

function context() {
  const clock = new SystemClock();
  const limit = { deadline: clock.monotonic() + 30_000, wait: '30s' };
  return { progress: new Progress(clock), clock, signal: new AbortController().signal, limit };
}

/** A server that fails the first calls as told, and has everything from then on. */
function server(failures: Error[]): { client: KubeClient; calls: () => number } {
  let calls = 0;
  const answer = (): Promise<unknown> => {
    calls += 1;
    const error = failures.shift();
    if (error) return Promise.reject(error);
    return Promise.reject(new StatusError(409, 'AlreadyExists', 'there already'));
  };
  const resource = () => ({ create: answer, get: () => Promise.resolve({}) });
  return { client: { resource } as unknown as KubeClient, calls: () => calls };
}

describe('furnish()', () => {
  it.each([
    ['a connection that is cut', new ConnectionError('https://x:6443', new Error('ECONNRESET'))],
    ['a server that asks for patience', new StatusError(429, 'TooManyRequests', 'later')],
  ])('goes on after %s', async (_name, error) => {
    const { client, calls } = server([error]);
    await furnish(client, input, context());
    expect(calls()).toBeGreaterThan(10);
  });

  it('ends with what is refused', async () => {
    const refusal = new StatusError(403, 'Forbidden', 'not you');
    await expect(furnish(server([refusal]).client, input, context())).rejects.toBe(refusal);
  });
});
