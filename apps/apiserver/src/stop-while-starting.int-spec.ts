import { describe, expect, it } from '@jest/globals';
import { freeAddress } from '@orrery/testkit';
import { app } from './index.js';

describe('an API server whose etcd does not answer', () => {
  it('ends when it is told to', async () => {
    const [etcd, own] = [await freeAddress(), await freeAddress()];
    const stop = new AbortController();
    const running = app.run(
      [
        `--etcd-servers=http://${etcd.host}:${etcd.port}`,
        `--bind-address=${own.host}`,
        `--secure-port=${own.port}`,
      ],
      { signal: stop.signal },
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort(new Error('SIGTERM'));
    await expect(running).resolves.toBeUndefined();
  }, 30_000);
});
