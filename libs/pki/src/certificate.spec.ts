import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  PkiError,
  caCertHash,
  createCa,
  issueCertificate,
  parseCa,
  parseCertificates,
  signPublicKey,
  subjectOf,
} from './index.js';
import type { IssueOptions } from './index.js';

const NOW = Date.parse('2026-11-21T00:00:00.789Z');
const ca = await createCa('kubernetes', NOW);
const issue = async (options: Partial<IssueOptions> = {}): Promise<X509Certificate> => {
  const wanted = { commonName: 'x', usages: ['clientAuth'], now: NOW, ...options } as const;
  return new X509Certificate((await issueCertificate(ca, wanted)).certPem);
};

describe('createCa()', () => {
  it('makes a certificate that signs itself and others', () => {
    const { certificate } = ca;
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  it('is valid from five minutes ago for ten years', () => {
    expect(ca.certificate.validFrom).toBe('Nov 20 23:55:00 2026 GMT');
    expect(ca.certificate.validTo).toBe('Nov 18 00:00:00 2036 GMT');
  });
});

describe('issueCertificate()', () => {
  const organizations = ['system:nodes', 'a', 'system:masters'];
  const options: IssueOptions = {
    commonName: 'system:node:k8s-01',
    organizations,
    usages: ['serverAuth', 'clientAuth'],
    sans: {
      dns: ['k8s-01', 'localhost'],
      ips: ['127.5.0.1', '::1', 'fd00::5:1', '::ffff:10.1.2.3'],
    },
    now: NOW,
  };
  const issued = issueCertificate(ca, options);

  it('signs with the CA and matches its key', async () => {
    const certificate = new X509Certificate((await issued).certPem);
    expect(certificate.verify(ca.certificate.publicKey)).toBe(true);
    expect(certificate.checkIssued(ca.certificate)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(parseCa({ ...(await issued) }).certificate.raw).toEqual(certificate.raw);
  });

  it('keeps the common name and every organization in order', async () => {
    const subject = subjectOf(new X509Certificate((await issued).certPem));
    expect(subject).toEqual({ commonName: 'system:node:k8s-01', organizations });
  });

  it.each([
    { name: 'quotes and escapes', text: 'a "b" \\c' },
    { name: 'separators', text: 'O=a, CN=b+c' },
    { name: 'the sign of hexadecimal values', text: '#ff' },
    { name: 'letters beyond ASCII', text: 'zoë 東京' },
  ])('takes $name for what they are', async ({ text }) => {
    const certificate = await issue({ commonName: text, organizations: [text] });
    expect(subjectOf(certificate)).toEqual({ commonName: text, organizations: [text] });
  });

  it.each([
    { name: 'a DNS name', matches: (c: X509Certificate) => c.checkHost('k8s-01') },
    { name: 'a loopback address', matches: (c: X509Certificate) => c.checkIP('127.5.0.1') },
    { name: 'an IPv6 address', matches: (c: X509Certificate) => c.checkIP('fd00::5:1') },
    { name: 'a mapped address', matches: (c: X509Certificate) => c.checkIP('::ffff:10.1.2.3') },
  ])('answers for $name', async ({ matches }) => {
    expect(matches(new X509Certificate((await issued).certPem))).toBeDefined();
  });

  it('may be used as asked', async () => {
    expect((await issue({ usages: ['serverAuth'] })).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect((await issue({ usages: ['clientAuth'] })).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  it('gives every certificate its own serial number and key', async () => {
    const [a, b] = await Promise.all([issue(), issue()]);
    expect(a.serialNumber).not.toBe(b.serialNumber);
    expect(a.publicKey.equals(b.publicKey)).toBe(false);
  });

  it('ends with the CA at the latest', async () => {
    expect((await issue({ days: 9999 })).validTo).toBe(ca.certificate.validTo);
  });

  it.each(['nope', '10.0.0.0.1', 'fe80::1%eth0'])('refuses the address %s', async (ip) => {
    const error: unknown = await issue({ sans: { ips: [ip] } }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PkiError);
    expect(error).toMatchObject({ code: 'malformed', message: `not an IP address: ${ip}` });
  });
});

describe('signPublicKey()', () => {
  it.each([
    { name: 'an RSA key', keys: generateKeyPairSync('rsa', { modulusLength: 2048 }) },
    { name: 'an Ed25519 key', keys: generateKeyPairSync('ed25519') },
  ])('certifies $name', async ({ keys: { publicKey } }) => {
    const options = { commonName: 'x', usages: ['clientAuth'], now: NOW, publicKey } as const;
    const certificate = new X509Certificate(await signPublicKey(ca, options));
    expect(certificate.publicKey.equals(publicKey)).toBe(true);
    expect(certificate.verify(ca.certificate.publicKey)).toBe(true);
  });
});

describe('parseCa()', () => {
  const code = (certPem: string, keyPem: string): unknown => {
    try {
      return parseCa({ certPem, keyPem });
    } catch (error) {
      return error instanceof PkiError ? error.code : error;
    }
  };

  it('refuses a key of another CA', async () => {
    const other = await createCa('other', NOW);
    expect(code(ca.certPem, other.keyPem)).toBe('mismatch');
  });

  it.each([
    { name: 'no certificate', certPem: 'hello', keyPem: ca.keyPem },
    { name: 'a damaged certificate', certPem: ca.certPem.replace('MII', 'AAA'), keyPem: ca.keyPem },
    { name: 'no key', certPem: ca.certPem, keyPem: '' },
  ])('refuses $name', ({ certPem, keyPem }) => {
    expect(code(certPem, keyPem)).toBe('malformed');
  });
});

describe('subjectOf()', () => {
  it('refuses bytes that are no certificate', () => {
    expect(() => subjectOf(Buffer.from('hello'))).toThrow(PkiError);
  });
});

describe('caCertHash()', () => {
  it('has the form that kubeadm takes', () => {
    expect(caCertHash(ca.certPem)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe('parseCertificates()', () => {
  it('reads every certificate of a bundle and nothing else', () => {
    const bundle = `# a comment\n${ca.certPem}${ca.keyPem}${ca.certPem}`;
    expect(parseCertificates(bundle)).toHaveLength(2);
  });

  it('refuses a damaged one', () => {
    const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(() => parseCertificates(ca.certPem + damaged)).toThrow(PkiError);
  });
});
