import { expect, it } from '@jest/globals';
import { refusals } from '../../../findings.fixture.js';
import { LeaseCandidateKind } from './leasecandidate.kind.js';

it.each([
  { version: '1.36.0', want: [] },
  { version: '1.36.0-rc.1+build.5', want: [] },
  { version: '1.36', want: ['must be a valid semantic version'] },
  { version: '1.036.0', want: ['must be a valid semantic version'] },
  { version: '1.36.0-a..b', want: ['must be a valid semantic version'] },
])('the binary version $version', ({ version, want }) => {
  const spec = {
    leaseName: 'l',
    binaryVersion: version,
    strategy: 'example.com/own',
    emulationVersion: '',
  };
  expect(refusals(LeaseCandidateKind, { spec })).toEqual(
    want.map((text) => `spec.binaryVersion: Invalid value: "${version}": ${text}`),
  );
});
