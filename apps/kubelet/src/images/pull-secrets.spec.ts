import { describe, expect, it } from '@jest/globals';
import type { Secret } from '@orrery/api';
import { credentialsFor } from './pull-secrets.js';

const encoded = (text: string): string => Buffer.from(text).toString('base64');

const secret = (auths: Readonly<Record<string, unknown>>): Secret => ({
  metadata: { name: 'pull' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': encoded(JSON.stringify({ auths })) },
});

describe('credentialsFor()', () => {
  const ada = { username: 'ada', password: 'pw:1' };
  const auth = encoded('ada:pw:1');

  it.each([
    { key: 'registry.example.com', image: 'registry.example.com/shop/cart:1', fits: true },
    { key: 'https://registry.example.com/v1/', image: 'registry.example.com/a', fits: true },
    {
      key: `${'*a'.repeat(40)}.example.com`,
      image: `${'a'.repeat(60)}b.example.com/a`,
      fits: false,
    },
    { key: 'registry.example.com/shop', image: 'registry.example.com/shop/cart', fits: true },
    { key: 'registry.example.com/other', image: 'registry.example.com/shop/cart', fits: false },
    { key: 'registry.example.com:5000', image: 'registry.example.com:5000/a', fits: true },
    { key: 'registry.example.com', image: 'registry.example.com:5000/a', fits: false },
    { key: '*.example.com', image: 'registry.example.com/a', fits: true },
    { key: '*.example.com', image: 'a.b.example.com/a', fits: false },
    { key: 'https://index.docker.io/v1/', image: 'nginx:1.9', fits: true },
    { key: 'docker.io', image: 'docker.io/library/nginx', fits: true },
    { key: 'gcr.io', image: 'nginx', fits: false },
  ])('a key $key fits $image: $fits', ({ key, image, fits }) => {
    expect(credentialsFor(image, [secret({ [key]: { auth } })])).toMatchObject(fits ? [ada] : []);
  });

  it('reads user and password, too, and the older form, the longest path first', () => {
    const older: Secret = {
      metadata: { name: 'older' },
      data: { '.dockercfg': encoded(JSON.stringify({ 'gcr.io': { auth } })) },
    };
    const bob = { username: 'bob', password: 'x' };
    expect(
      credentialsFor('gcr.io/team/app', [older, secret({ 'gcr.io/team': bob })]),
    ).toMatchObject([bob, ada]);
  });

  it('has none of a secret that holds something else', () => {
    const data = { '.dockerconfigjson': encoded('{') };
    expect(credentialsFor('nginx', [{ metadata: { name: 'no' }, data }])).toEqual([]);
  });
});
