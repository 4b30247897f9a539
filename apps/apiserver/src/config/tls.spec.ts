import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFlags } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import { ApiServerOptions } from './options.js';
import { namedCertificates } from './tls.js';

const folder = mkdtempSync(join(tmpdir(), 'sni-'));
const [cert, key] = [join(folder, 'a.crt'), join(folder, 'a.key')];
const [plainCert, plainKey] = [join(folder, 'b.crt'), join(folder, 'b.key')];

const hostsOf = (value: string): (readonly string[])[] =>
  namedCertificates(
    parseFlags(
      ApiServerOptions,
      ['--etcd-servers=http://127.0.0.1:1', `--tls-sni-cert-key=${value}`],
      'kube-apiserver',
    ),
  ).map(({ hosts }) => hosts);

describe('namedCertificates()', () => {
  beforeAll(async () => {
    const now = Date.now();
    const ca = await createCa('ca', now);
    const about = { commonName: 'named.example', usages: ['serverAuth'] as const, now };
    const dns = ['api.example', '*.wild.example'];
    const named = await issueCertificate(ca, { ...about, sans: { dns, ips: ['10.0.0.1'] } });
    writeFileSync(cert, named.certPem);
    writeFileSync(key, named.keyPem);
    const plain = await issueCertificate(ca, about);
    writeFileSync(plainCert, plain.certPem);
    writeFileSync(plainKey, plain.keyPem);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('serves a certificate to the names in it', () => {
    expect(hostsOf(`${cert},${key}`)).toEqual([['api.example', '*.wild.example']]);
  });

  it('takes the common name where a certificate has no others', () => {
    expect(hostsOf(`${plainCert},${plainKey}`)).toEqual([['named.example']]);
  });

  it('serves it to the names that are given instead', () => {
    expect(hostsOf(`${cert},${key}:one.example,*.two.example`)).toEqual([
      ['one.example', '*.two.example'],
    ]);
  });

  it('says which pair does not fit', () => {
    expect(() => hostsOf(`${cert},${plainKey}`)).toThrow(`--tls-sni-cert-key: ${cert}: `);
  });
});
