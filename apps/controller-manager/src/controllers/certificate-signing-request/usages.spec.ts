import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { CertificateSigningRequest } from '@orrery/api';
import { createCa, generateKeyPair, signPublicKey } from '@orrery/pki';
import { usagesOf } from './usages.js';

const asking = (...usages: string[]): CertificateSigningRequest =>
  ({ metadata: { name: 'c' }, spec: { usages } }) as unknown as CertificateSigningRequest;

describe('usagesOf()', () => {
  it.each([
    {
      name: 'says nothing that is not asked for',
      asked: ['digital signature', 'client auth'],
      want: { keyUsages: ['digitalSignature'], usages: ['clientAuth'] },
    },
    {
      name: 'knows names of the same once',
      asked: ['signing', 'digital signature', 's/mime', 'email protection'],
      want: { keyUsages: ['digitalSignature'], usages: ['emailProtection'] },
    },
    {
      name: 'knows the keys of authorities',
      asked: ['cert sign', 'crl sign', 'content commitment', 'any'],
      want: { keyUsages: ['keyCertSign', 'cRLSign', 'nonRepudiation'], usages: ['any'] },
    },
  ])('$name', ({ asked, want }) => {
    expect(usagesOf(asking(...asked))).toEqual(want);
  });

  it('stands in the certificate, with names of all forms', async () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    const { publicKey } = await generateKeyPair();
    const pem = await signPublicKey(await createCa('kubernetes', now), {
      commonName: 'x',
      sans: { dns: ['d'], ips: ['1.2.3.4'], emails: ['a@b.c'], uris: ['spiffe://d/x'] },
      ...usagesOf(asking('digital signature', 'code signing', 'netscape sgc')),
      publicKey,
      now,
    });
    const certificate = new X509Certificate(pem);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.3', '2.16.840.1.113730.4.1']);
    expect(certificate.subjectAltName).toBe(
      'DNS:d, email:a@b.c, IP Address:1.2.3.4, URI:spiffe://d/x',
    );
    // keyUsage of RFC 5280: a BIT STRING of one bit, digitalSignature.
    const oid = Buffer.from('0603551d0f', 'hex');
    const at = certificate.raw.indexOf(oid);
    expect(certificate.raw.subarray(at, at + 14).toString('hex')).toBe(
      '0603551d0f0101ff040403020780',
    );
  });
});
