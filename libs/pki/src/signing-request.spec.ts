import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  PkiError,
  createCa,
  createSigningRequest,
  parseSigningRequest,
  signPublicKey,
  subjectOf,
} from './index.js';

const NOW = Date.parse('2026-11-21T00:00:00Z');
const subject = { commonName: 'system:node:n1', organizations: ['system:nodes', 'a'] };
const { csrPem } = await createSigningRequest(subject, ['n1']);

const toPem = (der: Buffer, label = 'CERTIFICATE REQUEST'): string =>
  `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`;
const der = Buffer.from(csrPem.replaceAll(/-----.*-----/g, ''), 'base64');
/** The request with one bit of the byte at `at` turned over. */
function damagedAt(at: number): string {
  const bytes = Buffer.from(der);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return toPem(bytes);
}

describe('parseSigningRequest()', () => {
  it('reads what createSigningRequest wrote', async () => {
    const request = await parseSigningRequest(csrPem);
    expect(request).toMatchObject({ subject, dns: ['n1'], ips: [], emails: [], uris: [] });
    expect(request.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  it('reads a request without names', async () => {
    const { csrPem: plain } = await createSigningRequest({ commonName: 'x' });
    expect(await parseSigningRequest(plain)).toMatchObject({
      subject: { commonName: 'x', organizations: [] },
      dns: [],
    });
  });

  it('gives what a CA needs to certify the key', async () => {
    const request = await parseSigningRequest(csrPem);
    const pem = await signPublicKey(await createCa('kubernetes', NOW), {
      ...request.subject,
      usages: ['clientAuth'],
      now: NOW,
      publicKey: request.publicKey,
    });
    expect(subjectOf(new X509Certificate(pem))).toEqual(subject);
  });

  it.each([
    { name: 'no PEM block', pem: 'hello', want: 'malformed' },
    { name: 'bare base64', pem: der.toString('base64'), want: 'malformed' },
    { name: 'a block of another kind', pem: toPem(der, 'CERTIFICATE'), want: 'malformed' },
    { name: 'text in the block', pem: toPem(Buffer.from('hello')), want: 'malformed' },
    { name: 'zeros in the block', pem: toPem(Buffer.alloc(3)), want: 'malformed' },
    { name: 'an empty sequence', pem: toPem(Buffer.from([0x30, 0])), want: 'malformed' },
    { name: 'half a request', pem: toPem(der.subarray(0, 80)), want: 'malformed' },
    { name: 'another signature', pem: damagedAt(der.length - 1), want: 'badSignature' },
    {
      name: 'another name than the signed one',
      pem: damagedAt(der.indexOf('system:node:n1') + 13),
      want: 'badSignature',
    },
  ])('refuses $name', async ({ pem, want }) => {
    const error: unknown = await parseSigningRequest(pem).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PkiError);
    expect(error).toMatchObject({ code: want });
  });
});
