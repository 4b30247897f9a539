import { describe, expect, it } from '@jest/globals';
import type { Namespace, ServiceAccount } from '@orrery/api';
import { isMissing } from './serviceaccount.reconciler.js';

const namespace: Namespace = { metadata: { name: 'n' }, spec: {} };
const going: Namespace = { metadata: { name: 'n', deletionTimestamp: 'now' }, spec: {} };
const account: ServiceAccount = { metadata: { name: 'default', namespace: 'n' } };

describe('isMissing()', () => {
  it.each([
    { name: 'a namespace without it', namespace, account: undefined, want: true },
    { name: 'a namespace that has it', namespace, account, want: false },
    { name: 'a namespace that goes', namespace: going, account: undefined, want: false },
    { name: 'a namespace that is gone', namespace: undefined, account: undefined, want: false },
  ])('$name: $want', ({ namespace: of, account: has, want }) => {
    expect(isMissing(of, has)).toBe(want);
  });
});
