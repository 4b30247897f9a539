import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readSigningRequest } from './read-request.js';

/** A request as openssl makes it of its configuration. */
function requestOf(config: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'pki-request-'));
  try {
    const file = join(folder, 'request.cnf');
    writeFileSync(file, `[req]\ndistinguished_name=dn\nprompt=no\nstring_mask=utf8only\n${config}`);
    const how = ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null'];
    return execFileSync('openssl', [...how, '-utf8', '-config', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const NONE = { dns: [], ips: [], emails: [], uris: [] };

describe('readSigningRequest()', () => {
  it.each([
    {
      name: 'names of all sorts',
      config:
        'req_extensions=ext\n[dn]\n0.O=system:nodes\n1.O=ünï\nCN=first\n1.CN=last\n[ext]\nkeyUsage=digitalSignature\nsubjectAltName=DNS:a.test,DNS:*.b.test,IP:10.1.2.3,IP:2001:db8::1,email:a@b.test,URI:spiffe://x/y\n',
      want: {
        subject: { commonName: 'last', organizations: ['system:nodes', 'ünï'] },
        dns: ['a.test', '*.b.test'],
        ips: ['10.1.2.3', '2001:db8::1'],
        emails: ['a@b.test'],
        uris: ['spiffe://x/y'],
      },
    },
    {
      name: 'no names',
      config: '[dn]\nCN=x\n',
      want: { subject: { commonName: 'x', organizations: [] }, ...NONE },
    },
    {
      name: 'several attributes in one set, and other fields',
      config: '[dn]\nC=DE\nCN=x\n+O=y\nOU=z\n',
      want: { subject: { commonName: 'x', organizations: ['y'] }, ...NONE },
    },
    {
      name: 'extensions without names',
      config: 'req_extensions=ext\n[dn]\nCN=x\n[ext]\nbasicConstraints=critical,CA:true\n',
      want: { subject: { commonName: 'x', organizations: [] }, ...NONE },
    },
  ])('reads a request with $name', ({ config, want }) => {
    const { publicKey, ...read } = readSigningRequest(requestOf(config));
    expect(read).toEqual(want);
    expect(publicKey.asymmetricKeyType).toBe('rsa');
  });

  it('reads groups whatever their letters are written in', () => {
    const wide = requestOf('string_mask=MASK:2048\n[dn]\nO=system:masters\nCN=x\n');
    expect(readSigningRequest(wide).subject.organizations).toEqual(['system:masters']);
  });

  it('refuses headers, in which two readers could see two requests', () => {
    const pem = requestOf('[dn]\nCN=x\n').replace('REQUEST-----\n', 'REQUEST-----\nA: b\n\n');
    expect(() => readSigningRequest(pem)).toThrow('not in base 64');
  });
});
