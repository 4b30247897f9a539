import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../../findings.fixture.js';
import { objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
import { ClusterTrustBundleKind } from './clustertrustbundle.kind.js';

const anchor = String(objectOf(ClusterTrustBundleKind).spec.trustBundle);
const bundle = (trustBundle: string): object => ({ spec: { trustBundle } });
const found = (text: string): string =>
  `spec.trustBundle: Invalid value: "<value omitted>": ${text}`;
const block = (type: string, body: string): string =>
  `-----BEGIN ${type}-----\n${body}\n-----END ${type}-----\n`;
const FORM = "must be a fully qualified domain and path of the form 'example.com/signer-name'";

describe('a ClusterTrustBundle', () => {
  it.each<Refused>([
    {
      name: 'anchors that stand there twice',
      change: bundle(`${anchor}\n${anchor}\n${anchor}`),
      want: [found('duplicate trust anchor (indices [0 1 2])')],
    },
    {
      name: 'blocks that are none, and nothing of those that stand there twice',
      change: bundle(
        `${anchor}\n${anchor}\n${block('KEY', 'MA==')}${block('CERTIFICATE', 'a: b\n\nMA==')}${block('CERTIFICATE', 'MA==')}`,
      ),
      want: [
        found('entry 2 has bad block type: KEY'),
        found('entry 3 has PEM block headers'),
        found('entry 4 does not parse as X.509'),
      ],
    },
    {
      name: 'more than a mebibyte',
      change: bundle('x'.repeat(1024 * 1024 + 1)),
      want: ['spec.trustBundle: Too long: may not be more than 1048576 bytes'],
    },
    {
      name: 'a signer without a path',
      change: { metadata: { name: 'signer:a' }, spec: { signerName: 'signer' } },
      want: [`spec.signerName: Invalid value: "signer": ${FORM}`],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(ClusterTrustBundleKind, change)).toEqual(want);
  });

  it('is not read again where it does not change', () => {
    expect(updateRefusals(ClusterTrustBundleKind, bundle('x'), bundle('x'))).toEqual([]);
    expect(updateRefusals(ClusterTrustBundleKind, bundle(anchor), bundle('x'))).toEqual([
      found('at least one trust anchor must be provided'),
    ]);
  });
});
