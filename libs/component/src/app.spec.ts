import { getMaxListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { interruptedBy, letManyWait } from './app.js';

const aborted = (reason: unknown): AbortSignal => AbortSignal.abort(reason);
const sigterm = new Error('SIGTERM');

describe('the end of work that was interrupted', () => {
  it.each<[string, unknown, AbortSignal, number | undefined]>([
    ['by SIGTERM', sigterm, aborted(sigterm), 143],
    [
      'by SIGTERM, told by what it waited for',
      new Error('gone', { cause: sigterm }),
      aborted(sigterm),
      143,
    ],
    [
      'by nothing: it failed while it was stopped',
      new Error('disk full'),
      aborted(sigterm),
      undefined,
    ],
    [
      'by the end of its supervisor',
      sigterm,
      aborted(new Error('the supervisor has gone')),
      undefined,
    ],
    ['by nothing: it failed', sigterm, new AbortController().signal, undefined],
  ])('%s', (_, error, signal, code) => {
    expect(interruptedBy(error, signal)).toBe(code);
  });
});

it('has any number wait for one AbortSignal, with every Node', () => {
  letManyWait();
  expect(getMaxListeners(new AbortController().signal)).toBe(0);
});
