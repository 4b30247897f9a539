import { describe, expect, it } from '@jest/globals';
import { parseFlags } from '@orrery/component';
import { generateKeyPair, privateKeyToPem } from '@orrery/pki';
import type { Fork } from '@orrery/storage';
import { ApiServerOptions } from '../config/options.js';
import { forkOptions, issuerOf } from './fork-identity.js';

const { privateKey } = await generateKeyPair();
const fork: Fork = {
  name: 'x',
  uid: 'u1',
  base: 7,
  created: 8,
  keyspace: '/registry/',
  epoch: 0,
  time: '2026-01-01T00:00:00Z',
  user: 'root',
  issuerKey: privateKeyToPem(privateKey),
};

const optionsOf = (...flags: string[]): ApiServerOptions =>
  parseFlags(ApiServerOptions, flags, 'kube-apiserver');

describe('issuerOf()', () => {
  it('is another one for each fork, beside the live one', () => {
    const options = optionsOf('--service-account-issuer=https://live/');
    expect(issuerOf(fork, options).issuer).toBe('https://live/forks/x/u1');
    expect(issuerOf({ ...fork, uid: 'u2' }, options).issuer).toBe('https://live/forks/x/u2');
  });
});

describe('forkOptions()', () => {
  const options = optionsOf(
    '--authorization-mode=Node,RBAC',
    '--client-ca-file=/ca.crt',
    '--token-auth-file=/tokens.csv',
    '--service-account-key-file=/sa.pub',
    '--enable-bootstrap-token-auth',
    '--enable-admission-plugins=NodeRestriction,ValidatingAdmissionWebhook',
    '--disable-admission-plugins=Priority',
  );
  const inner = forkOptions(options, issuerOf(fork, options));

  it('knows no credentials but those of the own issuer', () => {
    expect(inner).toMatchObject({
      clientCaFile: '',
      tokenAuthFile: '',
      serviceAccountKeyFile: [],
      enableBootstrapTokenAuth: false,
      authenticationTokenWebhookConfigFile: '',
      oidcIssuerUrl: '',
    });
    expect(inner.serviceAccountIssuer[0]).toContain('/forks/x/u1');
  });

  it('asks nobody outside, and is else as the live cluster', () => {
    expect(inner.enableAdmissionPlugins).toEqual(['NodeRestriction']);
    expect(inner.disableAdmissionPlugins).toEqual([
      'Priority',
      'MutatingAdmissionWebhook',
      'ValidatingAdmissionWebhook',
    ]);
    expect(inner.authorizationMode).toEqual(['Node', 'RBAC']);
    expect(inner.serviceClusterIpRange).toBe(options.serviceClusterIpRange);
  });

  it('leaves the options of the live cluster alone', () => {
    expect(options.clientCaFile).toBe('/ca.crt');
    expect(options.disableAdmissionPlugins).toEqual(['Priority']);
  });
});
