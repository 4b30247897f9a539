import { describe, expect, it } from '@jest/globals';
import { refusals, updateRefusals } from '../../findings.fixture.js';
import type { Refused, RefusedUpdate } from '../../findings.fixture.js';
import { CertificateSigningRequestKind } from './certificatesigningrequest/certificatesigningrequest.kind.js';

const conditions = (...types: string[]): object => ({
  status: {
    conditions: types.map((type) => ({
      type,
      status: 'True',
      lastUpdateTime: '2026-01-01T00:00:00Z',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    })),
  },
});
const certificate = (text: string): object => ({
  status: { certificate: Buffer.from(text).toString('base64') },
});
const FORM = "must be a fully qualified domain and path of the form 'example.com/signer-name'";

describe('a CertificateSigningRequest', () => {
  it.each<Refused>([
    {
      name: 'without usages and signer',
      change: { spec: { usages: [], signerName: '' } },
      want: ['spec.usages: Required value', 'spec.signerName: Required value'],
    },
    {
      name: 'of a signer without a domain',
      change: { spec: { signerName: 'signer' } },
      want: [`spec.signerName: Invalid value: "signer": ${FORM}`],
    },
    {
      name: 'of a signer of one label',
      change: { spec: { signerName: 'example/x' } },
      want: [
        'spec.signerName: Invalid value: "example": should be a domain with at least two segments separated by dots',
      ],
    },
    {
      name: 'of the legacy signer',
      change: { spec: { signerName: 'kubernetes.io/legacy-unknown' } },
      want: [
        'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
      ],
    },
    {
      name: 'for a usage twice, and for a short time',
      change: { spec: { usages: ['client auth', 'client auth'], expirationSeconds: 60 } },
      want: [
        'spec.usages[1]: Duplicate value: "client auth"',
        'spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 600 seconds (10 minutes)',
      ],
    },
    {
      name: 'of what is no request',
      change: { spec: { request: 'MA==' } },
      want: ['spec.request: Invalid value: "MA==": PEM block type must be CERTIFICATE REQUEST'],
    },
  ])('is refused $name', ({ change, want }) => {
    expect(refusals(CertificateSigningRequestKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate & { readonly subresource: string }>([
    {
      name: 'is not approved by its status',
      before: {},
      after: conditions('Approved'),
      subresource: 'status',
      want: ['status.conditions: Forbidden: updates may not add a condition of type "Approved"'],
    },
    {
      name: 'is not both approved and denied',
      before: {},
      after: conditions('Approved', 'Denied'),
      subresource: 'approval',
      want: [
        'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
      ],
    },
    {
      name: 'stays approved',
      before: conditions('Approved'),
      after: conditions(),
      subresource: 'approval',
      want: ['status.conditions: Forbidden: updates may not remove a condition of type "Approved"'],
    },
    {
      name: 'has conditions once, and a decision that holds',
      before: {},
      after: {
        status: {
          conditions: [
            { type: 'Denied', status: 'False' },
            { type: 'Failed', status: 'True' },
            { type: 'Failed', status: 'True' },
          ],
        },
      },
      subresource: 'approval',
      want: [
        'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
        'status.conditions[2].type: Duplicate value: "Failed"',
      ],
    },
    {
      name: 'gets certificates only',
      before: {},
      after: certificate('-----BEGIN X-----\nMA==\n-----END X-----\n'),
      subresource: 'status',
      want: [
        'status.certificate: Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "X"',
      ],
    },
    {
      name: 'gets its certificate once',
      before: certificate('a'),
      after: certificate('b'),
      subresource: 'status',
      want: ['status.certificate: Forbidden: updates may not modify existing certificate content'],
    },
    {
      name: 'may keep what was stored before there were rules',
      before: conditions('Approved', 'Denied', '', ''),
      after: conditions('Approved', 'Denied', '', '', 'Failed'),
      subresource: 'status',
      want: [],
    },
  ])('$name', ({ before, after, subresource, want }) => {
    expect(updateRefusals(CertificateSigningRequestKind, before, after, subresource)).toEqual(want);
  });
});
