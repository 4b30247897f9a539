import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  caCertHash,
  createCa,
  createSigningRequest,
  issueCertificate,
  parseCa,
  parseCertificates,
  parseSigningRequest,
  signPublicKey,
  subjectOf,
} from './index.js';

const NOW = Date.parse('2026-11-21T00:00:00Z');
const ca = createCa('kubernetes', NOW);

describe('issueCertificate()', () => {
  const issued = issueCertificate(ca, {
    commonName: 'system:node:k8s-01',
    organizations: ['system:nodes', 'system:masters'],
    usages: ['serverAuth', 'clientAuth'],
    sans: { dns: ['k8s-01', 'localhost'], ips: ['127.5.0.1', '::1', 'fd00::5:1'] },
    now: NOW,
  });
  const certificate = new X509Certificate(issued.certPem);

  it('signs with the CA and matches its key', () => {
    expect(certificate.verify(ca.certificate.publicKey)).toBe(true);
    expect(certificate.checkIssued(ca.certificate)).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it('keeps the common name and every organization', () => {
    const subject = subjectOf(certificate);
    expect(subject.commonName).toBe('system:node:k8s-01');
    expect([...subject.organizations].sort()).toEqual(['system:masters', 'system:nodes']);
  });

  it.each([
    { name: 'a DNS name', matches: () => certificate.checkHost('k8s-01') },
    { name: 'a loopback address', matches: () => certificate.checkIP('127.5.0.1') },
    { name: 'an IPv6 address', matches: () => certificate.checkIP('fd00::5:1') },
  ])('answers for $name', ({ matches }) => {
    expect(matches()).toBeDefined();
  });

  it('ends with the CA at the latest', () => {
    const long = issueCertificate(ca, { commonName: 'x', usages: [], days: 9999, now: NOW });
    expect(new X509Certificate(long.certPem).validTo).toBe(ca.certificate.validTo);
  });

  it('refuses a SAN that is no address', () => {
    const bad = { commonName: 'x', usages: [], now: NOW, sans: { ips: ['nope'] } } as const;
    expect(() => issueCertificate(ca, bad)).toThrow('not an IP address: nope');
  });
});

describe('parseCa()', () => {
  it('refuses a key of another CA', () => {
    const other = createCa('other', NOW);
    expect(() => parseCa({ certPem: ca.certPem, keyPem: other.keyPem })).toThrow('belong together');
  });
});

describe('caCertHash()', () => {
  it('has the form that kubeadm takes', () => {
    expect(caCertHash(ca.certPem)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe('parseCertificates()', () => {
  it('reads every certificate of a bundle', () => {
    expect(parseCertificates(ca.certPem + ca.certPem)).toHaveLength(2);
  });
});

describe('parseSigningRequest()', () => {
  const subject = { commonName: 'system:node:n1', organizations: ['system:nodes'] };

  it('reads what createSigningRequest wrote, and the key can be certified', () => {
    const request = parseSigningRequest(createSigningRequest(subject, ['n1']).csrPem);
    expect(request).toMatchObject({ subject, dns: ['n1'], ips: [] });
    const pem = signPublicKey(ca, {
      ...request.subject,
      usages: ['clientAuth'],
      now: NOW,
      publicKey: request.publicKey,
    });
    expect(subjectOf(new X509Certificate(pem))).toEqual(subject);
  });

  it.each([
    { name: 'no PEM block', pem: 'hello', want: 'CERTIFICATE REQUEST' },
    {
      name: 'garbage in the block',
      pem: '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
      want: 'truncated',
    },
  ])('refuses $name', ({ pem, want }) => {
    expect(() => parseSigningRequest(pem)).toThrow(want);
  });
});
