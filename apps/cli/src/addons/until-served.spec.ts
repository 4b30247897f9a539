import { describe, expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import { ConnectionError } from '@orrery/client';
import { SystemClock } from '@orrery/component';
import { untilServed } from './until-served.js';

const cut = new ConnectionError('https://apiserver:6443', new Error('read ECONNRESET'));
const wait = (waitMs: number) => ({
  clock: new SystemClock(),
  signal: new AbortController().signal,
  waitMs,
});

describe('untilServed()', () => {
  it.each([
    ['a connection that is cut', cut],
    ['a server that is not ready', new StatusError(503, 'ServiceUnavailable', 'not ready')],
    ['a server that is busy', new StatusError(429, 'TooManyRequests', 'later')],
    ['a namespace that is not there yet', new StatusError(404, 'NotFound', 'not there')],
  ])('does it again after %s', async (_name, error) => {
    const done: string[] = [];
    await untilServed(wait(30_000), () => {
      done.push('once');
      return done.length === 1 ? Promise.reject(error) : Promise.resolve();
    });
    expect(done).toHaveLength(2);
  });

  it('does not repeat what is refused', async () => {
    const refusal = new StatusError(403, 'Forbidden', 'not you');
    await expect(untilServed(wait(30_000), () => Promise.reject(refusal))).rejects.toBe(refusal);
  });

  it('says in one line what was the matter when the time is over', async () => {
    await expect(untilServed(wait(1), () => Promise.reject(cut))).rejects.toMatchObject({
      name: 'ConfigError',
      message:
        'the API server did not do all that was asked within 0.001 s: cannot reach https://apiserver:6443: read ECONNRESET',
    });
  });
});
