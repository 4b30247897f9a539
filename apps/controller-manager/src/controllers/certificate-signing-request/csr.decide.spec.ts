import { describe, expect, it } from '@jest/globals';
import type { CertificateSigningRequest } from '@orrery/api';
import {
  APISERVER_CLIENT,
  KUBELET_CLIENT,
  KUBELET_SERVING,
  LEGACY_UNKNOWN,
  cleanUpAt,
  lifetimeMs,
  signerFault,
} from './csr.decide.js';

const asked = (more: object = {}, subject: object = {}) => ({
  subject: { commonName: 'system:node:k1', organizations: ['system:nodes'], ...subject },
  dns: [],
  ips: [],
  emails: [],
  uris: [],
  ...more,
});

const CLIENT = ['client auth', 'digital signature'];
const SERVER = ['digital signature', 'key encipherment', 'server auth'];

describe('signerFault()', () => {
  it.each([
    {
      name: 'signs for a kubelet',
      signer: KUBELET_CLIENT,
      asks: asked(),
      usages: CLIENT,
      want: undefined,
    },
    {
      name: 'takes the usage of older kubelets',
      signer: KUBELET_CLIENT,
      asks: asked(),
      usages: [...CLIENT, 'key encipherment'],
      want: undefined,
    },
    {
      name: 'wants the group of nodes',
      signer: KUBELET_CLIENT,
      asks: asked({}, { organizations: ['system:masters'] }),
      usages: CLIENT,
      want: 'subject organization is not system:nodes',
    },
    {
      name: 'wants no other group',
      signer: KUBELET_CLIENT,
      asks: asked({}, { organizations: ['system:nodes', 'x'] }),
      usages: CLIENT,
      want: 'subject organization is not system:nodes',
    },
    {
      name: 'wants the name of a node',
      signer: KUBELET_CLIENT,
      asks: asked({}, { commonName: 'jane' }),
      usages: CLIENT,
      want: 'subject common name does not begin with system:node:',
    },
    {
      name: 'wants no host names of a client',
      signer: KUBELET_CLIENT,
      asks: asked({ dns: ['x'] }),
      usages: CLIENT,
      want: 'DNS subjectAltNames are not allowed',
    },
    {
      name: 'wants no addresses of a client',
      signer: KUBELET_CLIENT,
      asks: asked({ ips: ['1.2.3.4'] }),
      usages: CLIENT,
      want: 'IP subjectAltNames are not allowed',
    },
    {
      name: 'wants the usages of a client',
      signer: KUBELET_CLIENT,
      asks: asked(),
      usages: SERVER,
      want: 'usages did not match [client auth digital signature key encipherment]',
    },
    {
      name: 'signs for a serving kubelet',
      signer: KUBELET_SERVING,
      asks: asked({ dns: ['k1'] }),
      usages: SERVER,
      want: undefined,
    },
    {
      name: 'wants a name of a server',
      signer: KUBELET_SERVING,
      asks: asked(),
      usages: SERVER,
      want: 'DNS or IP subjectAltName is required',
    },
    {
      name: 'wants no mail address of a server',
      signer: KUBELET_SERVING,
      asks: asked({ dns: ['k1'], emails: ['a@b'] }),
      usages: SERVER,
      want: 'Email subjectAltNames are not allowed',
    },
    {
      name: 'signs for anybody',
      signer: APISERVER_CLIENT,
      asks: asked({}, { commonName: 'jane', organizations: [] }),
      usages: CLIENT,
      want: undefined,
    },
    {
      name: 'signs no server as a client',
      signer: APISERVER_CLIENT,
      asks: asked(),
      usages: SERVER,
      want: 'invalid usage for client certificate: server auth',
    },
    {
      name: 'wants a client',
      signer: APISERVER_CLIENT,
      asks: asked(),
      usages: ['digital signature'],
      want: 'missing required usage for client certificate: client auth',
    },
    {
      name: 'signs anything for anybody by the signer of old',
      signer: LEGACY_UNKNOWN,
      asks: asked(),
      usages: ['code signing'],
      want: undefined,
    },
    {
      name: 'knows its signers',
      signer: 'kubernetes.io/other',
      asks: asked(),
      usages: CLIENT,
      want: 'unrecognized signerName: "kubernetes.io/other"',
    },
  ])('$name', ({ signer, asks, usages, want }) => {
    expect(signerFault(signer, asks, usages)).toBe(want);
  });
});

const HOUR = 3_600_000;
const T = '2026-01-01T00:00:00Z';
const at = Date.parse(T);

const csr = (status?: object, expirationSeconds?: number): CertificateSigningRequest =>
  ({
    metadata: { name: 'c', creationTimestamp: T },
    spec: { request: '', signerName: KUBELET_CLIENT, expirationSeconds },
    status,
  }) as CertificateSigningRequest;

describe('cleanUpAt()', () => {
  const condition = (type: string): object => ({
    conditions: [{ type, status: 'True', lastUpdateTime: T }],
  });
  it.each([
    { name: 'a day after nobody answered', status: undefined, want: at + 24 * HOUR },
    { name: 'an hour after it was denied', status: condition('Denied'), want: at + HOUR },
    { name: 'an hour after it failed', status: condition('Failed'), want: at + HOUR },
    {
      name: 'never while it is approved and not signed',
      status: condition('Approved'),
      want: Infinity,
    },
    {
      name: 'an hour after it was signed',
      status: { ...condition('Approved'), certificate: 'x' },
      want: at + HOUR,
    },
    {
      name: 'when the certificate runs out',
      status: { ...condition('Approved'), certificate: 'x' },
      expiry: at + 5,
      want: at + 5,
    },
  ])('$name', ({ status, expiry, want }) => {
    expect(cleanUpAt(csr(status), expiry)).toBe(want);
  });
});

describe('lifetimeMs()', () => {
  it.each([
    { name: 'the longest by default', seconds: undefined, want: 24 * HOUR },
    { name: 'what is asked for', seconds: 7200, want: 2 * HOUR },
    { name: 'at least ten minutes', seconds: 60, want: HOUR / 6 },
    { name: 'never more than the longest', seconds: 999_999, want: 24 * HOUR },
  ])('$name', ({ seconds, want }) => {
    expect(lifetimeMs(csr(undefined, seconds), 24 * HOUR)).toBe(want);
  });
});
