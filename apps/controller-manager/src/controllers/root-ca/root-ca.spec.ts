import { describe, expect, it } from '@jest/globals';
import type { ConfigMap } from '@orrery/api';
import { wantedMap } from './root-ca.reconciler.js';

const made = wantedMap('n', undefined, 'CA') as ConfigMap;

describe('wantedMap()', () => {
  it.each<{ name: string; current: ConfigMap | undefined; want: ConfigMap | undefined }>([
    { name: 'makes what is missing', current: undefined, want: made },
    { name: 'leaves what is right', current: made, want: undefined },
    {
      name: 'leaves a description of somebody else, and other annotations',
      current: { ...made, metadata: { ...made.metadata, annotations: annotated('mine') } },
      want: undefined,
    },
    { name: 'mends changed data', current: { ...made, data: { 'ca.crt': 'no' } }, want: made },
    {
      name: 'takes further data away',
      current: { ...made, data: { ...made.data, more: 'x' } },
      want: made,
    },
    {
      name: 'mends a missing description',
      current: { ...made, metadata: { namespace: 'n', name: 'kube-root-ca.crt' } },
      want: made,
    },
  ])('$name', ({ current, want }) => {
    expect(wantedMap('n', current, 'CA')).toEqual(want);
  });
});

function annotated(description: string): Record<string, string> {
  return { 'kubernetes.io/description': description, other: 'x' };
}
