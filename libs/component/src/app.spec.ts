import { getMaxListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { interruptedBy, letManyWait, refusalOf } from './app.js';
import { ConfigError } from './flags.js';

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

describe('what a program says that refuses its flags', () => {
  it.each([
    { name: 'orrery', isSupervised: false, text: 'orrery: no\n', exitCode: 2 },
    { name: 'dataplane', isSupervised: true, text: 'dataplane: no\n', exitCode: 2 },
    { name: 'kube-apiserver', isSupervised: false, text: 'Error: no\n', exitCode: 1 },
    { name: 'kubelet', isSupervised: false, text: 'Error: no\n', exitCode: 1 },
    { name: 'kubelet', isSupervised: true, text: 'Error: no\n', exitCode: 2 },
  ])('$name, under a supervisor: $isSupervised', ({ name, isSupervised, text, exitCode }) => {
    expect(refusalOf(name, new ConfigError('no'), isSupervised)).toEqual({ text, exitCode });
  });
});

it('has any number wait for one AbortSignal, with every Node', () => {
  letManyWait();
  expect(getMaxListeners(new AbortController().signal)).toBe(0);
});
