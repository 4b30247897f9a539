import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { PodCertificateRequestKind } from './podcertificaterequest.kind.js';
import { CERTIFICATES, SUBJECT } from './subject.fixture.js';

const spec = (change: object): object => ({ spec: change });
const spki = (key: KeyObject): string =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');

/** The older pair for a key, with the proof of its bearer. */
function pair(privateKey: KeyObject, proof: string): object {
  return spec({
    stubPKCS10Request: undefined,
    pkixPublicKey: spki(privateKey),
    proofOfPossession: proof,
  });
}
const UID = Buffer.from('u1');
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const p256 = createPrivateKey({
  key: Buffer.from(SUBJECT.key, 'base64'),
  format: 'der',
  type: 'pkcs8',
});
const rsa = generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey;
const small = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const p224 = generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).privateKey;
const dsa = generateKeyPairSync('x25519').privateKey;

const proofOf = (key: KeyObject): string =>
  (key.asymmetricKeyType === 'rsa'
    ? sign('sha256', UID, { key, padding: constants.RSA_PKCS1_PSS_PADDING })
    : sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', UID, key)
  ).toString('base64');

const forged = Buffer.from(SUBJECT.stub, 'base64');
forged.writeUInt8(1, forged.length - 1);

describe('a PodCertificateRequest', () => {
  it.each([
    { name: 'a request signed by it', change: {} },
    { name: 'Ed25519 and a proof', change: pair(ed25519, proofOf(ed25519)) },
    { name: 'P-256 and a proof', change: pair(p256, proofOf(p256)) },
    { name: 'RSA and a proof', change: pair(rsa, proofOf(rsa)) },
  ])('shows its key by $name', ({ change }) => {
    expect(refusals(PodCertificateRequestKind, change)).toEqual([]);
  });

  it.each<Refused>([
    {
      name: 'without names and uids',
      change: spec({ signerName: 'x', podName: 'A', podUID: '', nodeUID: 'u'.repeat(129) }),
      want: [
        expect.stringMatching(/^spec.signerName: Invalid value: "x": must be a fully qualified/),
        expect.stringMatching(/^spec.podName: Invalid value: "A"/),
        'spec.podUID: Invalid value: "": must not be empty',
        'spec.nodeUID: Too long: may not be more than 128 bytes',
      ] as unknown as string[],
    },
    {
      name: 'of a signer of Kubernetes for more than a day',
      change: spec({ signerName: 'a.kubernetes.io/x', maxExpirationSeconds: 86401 }),
      want: ['spec.maxExpirationSeconds: Invalid value: 86401: must be in the range [3600, 86400]'],
    },
    {
      name: 'for more than 91 days',
      change: spec({ maxExpirationSeconds: 7862401 }),
      want: [
        'spec.maxExpirationSeconds: Invalid value: 7862401: must be in the range [3600, 7862400]',
      ],
    },
    {
      name: 'with annotations of no domain',
      change: spec({ unverifiedUserAnnotations: { Foo: '', 'Acme.io/Foo': '' } }),
      want: [
        'spec.unverifiedUserAnnotations: Invalid value: "foo": must be a domain-prefixed key (such as "acme.io/foo")',
      ],
    },
    {
      name: 'with a stub and a key',
      change: spec({ pkixPublicKey: spki(p256) }),
      want: [
        'spec: Invalid value: exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set',
      ],
    },
    {
      name: 'with a stub that another key has signed',
      change: spec({ stubPKCS10Request: forged.toString('base64') }),
      want: [
        'spec.stubPKCS10Request: Invalid value: could not verify CSR signature: x509: ECDSA verification failure',
      ],
    },
    {
      name: 'with a stub that is none',
      change: spec({ stubPKCS10Request: 'MA==' }),
      want: ['spec.stubPKCS10Request: Invalid value: "MA==": must be a valid PKCS#10 CSR'],
    },
    {
      name: 'with a key that is none',
      change: spec({ stubPKCS10Request: undefined, pkixPublicKey: 'MA==' }),
      want: [
        'spec.pkixPublicKey: Invalid value: "MA==": must be a valid PKIX-serialized public key',
      ],
    },
    {
      name: "with another key's proof",
      change: pair(p256, proofOf(ed25519)),
      want: [
        'spec.proofOfPossession: Invalid value: could not verify proof-of-possession signature',
      ],
    },
    {
      name: 'with a small modulus',
      change: pair(small, proofOf(small)),
      want: [
        'spec.pkixPublicKey: Invalid value: "2048-bit modulus": RSA keys must have modulus size 3072 or 4096',
      ],
    },
    {
      name: 'with a small curve',
      change: pair(p224, proofOf(p224)),
      want: [
        'spec.pkixPublicKey: Invalid value: "curve P-224": elliptic public keys must use curve P256 or P384',
      ],
    },
    {
      name: 'with a key that cannot sign',
      change: pair(dsa, ''),
      want: [
        `spec.pkixPublicKey: Invalid value: "${spki(dsa)}": unknown public key type; supported types are Ed25519, ECDSA, and RSA`,
      ],
    },
  ])('is refused $name', ({ change, want }) => {
    expect(refusals(PodCertificateRequestKind, change)).toEqual(want);
  });
});

const condition = (type: string, status = 'True'): object => ({
  type,
  status,
  reason: 'X',
  lastTransitionTime: '2026-01-02T00:00:00Z',
});
const answered = (...types: string[]): object => ({
  status: { conditions: types.map((type) => condition(type)) },
});
const pem = (base64: string, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;

const issued = (change: object = {}, base64: string = CERTIFICATES.good): object => ({
  status: {
    conditions: [condition('Issued')],
    certificateChain: pem(base64),
    notBefore: '2026-01-01T23:59:00Z',
    notAfter: '2026-01-02T23:59:00Z',
    beginRefreshAt: '2026-01-02T12:00:00Z',
    ...change,
  },
});
const shown = (base64: string): string => JSON.stringify(pem(base64));

describe('the status of a PodCertificateRequest', () => {
  it.each<RefusedUpdate>([
    { name: 'is issued', before: {}, after: issued(), want: [] },
    { name: 'is denied', before: {}, after: answered('Denied'), want: [] },
    {
      name: 'is answered once',
      before: answered('Denied'),
      after: answered('Failed'),
      want: [
        'status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed',
      ],
    },
    {
      name: 'has one answer',
      before: {},
      after: answered('Denied', 'Failed'),
      want: [
        'status.conditions.[1].type: Invalid value: "Failed": There may be at most one condition with type "Issued", "Denied", or "Failed"',
      ],
    },
    {
      name: 'has an answer that holds, and no other condition',
      before: {},
      after: { status: { conditions: [condition('Denied', 'False'), condition('Other')] } },
      want: [
        'status.conditions.[0].status: Unsupported value: "False": supported values: "True"',
        'status.conditions.[1].type: Unsupported value: "Other": supported values: "Issued", "Denied", "Failed"',
      ],
    },
    {
      name: 'says nothing else when it is denied',
      before: {},
      after: { status: { conditions: [condition('Denied')], certificateChain: 'x' } },
      want: [
        'status: Invalid value: non-condition status fields must be empty when denying or failing the PodCertificateRequest',
      ],
    },
    {
      name: 'says nothing before it is answered',
      before: {},
      after: { status: { certificateChain: 'x' } },
      want: [
        'status: Invalid value: status is immutable unless transitioning to "Issued", "Denied", or "Failed"',
      ],
    },
    {
      name: 'has a certificate when it is issued',
      before: {},
      after: issued({ certificateChain: '' }),
      want: [
        'status.certificateChain: Invalid value: "": issued certificate chain must contain at least one certificate',
      ],
    },
    {
      name: 'has certificates alone',
      before: {},
      after: issued({ certificateChain: `${pem(CERTIFICATES.good)}${pem('MA==')}` }),
      want: [
        `status.certificateChain: Invalid value: ${JSON.stringify(`${pem(CERTIFICATES.good)}${pem('MA==')}`)}: intermediate certificate does not parse as valid X.509`,
      ],
    },
    {
      name: 'has times',
      before: {},
      after: issued({ notBefore: undefined, notAfter: undefined, beginRefreshAt: undefined }),
      want: [
        'status.notBefore: Required value: must be present and consistent with the issued certificate',
        'status.notAfter: Required value: must be present and consistent with the issued certificate',
        'status.beginRefreshAt: Required value: must be present and in the range [notbefore+10min, notafter-10min]',
      ],
    },
    {
      name: "has the certificate's times",
      before: {},
      after: issued({ notBefore: '2026-01-01T23:59:01Z' }),
      want: [
        'status.notBefore: Invalid value: "2026-01-01T23:59:01Z": must be set to the NotBefore time encoded in the leaf certificate',
      ],
    },
    {
      name: 'is issued from now on',
      before: {},
      after: issued({ notBefore: '2026-01-01T23:00:00Z' }, CERTIFICATES.early),
      want: [
        'status.notBefore: Invalid value: "2026-01-01T23:00:00Z": must be set to within 5 minutes of kube-apiserver\'s current time',
      ],
    },
    {
      name: 'is issued for an hour at least',
      before: {},
      after: issued({ notAfter: '2026-01-02T00:30:00Z' }, CERTIFICATES.short),
      want: [
        'status.certificateChain: Invalid value: 1860000000000: leaf certificate lifetime must be >= 1 hour',
      ],
    },
    {
      name: 'is issued for no longer than was asked for',
      before: {},
      after: issued({ notAfter: '2026-01-03T23:59:00Z' }, CERTIFICATES.long),
      want: [
        'status.certificateChain: Invalid value: 172800000000000: leaf certificate lifetime must be <= spec.maxExpirationSeconds (86400)',
      ],
    },
    {
      name: 'is refreshed in its time',
      before: {},
      after: issued({ beginRefreshAt: '2026-01-02T23:50:00Z' }),
      want: [
        'status.beginRefreshAt: Invalid value: "2026-01-02T23:50:00Z": must be at least 10 minutes before status.notAfter',
      ],
    },
    {
      name: 'is for the key that asked',
      before: pair(ed25519, ''),
      after: issued(),
      want: [
        `status.certificateChain: Invalid value: ${shown(CERTIFICATES.good)}: leaf certificate was not issued to the requested public key`,
      ],
    },
    {
      name: 'names hosts and people as they can be',
      before: {},
      after: issued({}, CERTIFICATES.bad),
      want: [
        `status.certificateChain: Invalid value: "a..b": leaf certificate's DNSName should not contain '..'`,
        'status.certificateChain: Invalid value: "jane": leaf certificate should not contain invalid EmailAddress',
      ],
    },
  ])('$name', ({ before, after, want }) => {
    expect(updateRefusals(PodCertificateRequestKind, before, after, 'status')).toEqual(want);
  });
});
