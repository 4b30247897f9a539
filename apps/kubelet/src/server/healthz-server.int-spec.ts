import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SteppedClock, silentLogger } from '@orrery/component';
import type { Logger } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { HealthzServer } from './healthz-server.js';

const AT = { host: '127.198.48.1', port: 10_248 };

describe(HealthzServer.name, () => {
  let stop = new AbortController();
  afterEach(() => {
    stop.abort();
  });

  const ask = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`http://${AT.host}:${AT.port}${path}`);
    return [answer.status, await answer.text()];
  };

  it('answers /healthz and its check, and nothing else, until it is stopped', async () => {
    stop = new AbortController();
    await new HealthzServer(AT, new SteppedClock(), silentLogger).serve(stop.signal);
    expect(await ask('/healthz')).toEqual([200, 'ok']);
    expect(await ask('/healthz/ping')).toEqual([200, 'ok']);
    expect(await ask('/healthz?verbose')).toEqual([200, '[+]ping ok\nhealthz check passed\n']);
    for (const path of ['/', '/livez', '/metrics', '/healthz/other'])
      expect((await ask(path))[0]).toBe(404);
    stop.abort();
    await eventually(async () => {
      await expect(ask('/healthz')).rejects.toThrow('fetch failed');
    });
  });

  it('waits for a port that is taken', async () => {
    stop = new AbortController();
    const other = createServer().listen(AT.port, AT.host);
    await once(other, 'listening');
    const clock = new SteppedClock();
    let refused = 0;
    const logger = { error: () => (refused += 1) } as unknown as Logger;
    const serving = new HealthzServer(AT, clock, logger).serve(stop.signal);
    await eventually(() => {
      expect(refused).toBe(1);
    });
    other.close();
    await once(other, 'close');
    await clock.step(5_000);
    await serving;
    expect(await ask('/healthz')).toEqual([200, 'ok']);
  });
});
