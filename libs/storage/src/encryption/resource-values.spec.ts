import { describe, expect, it } from '@jest/globals';
import { aesCbc, aesGcm, secretbox } from './ciphers.js';
import { ResourceValues } from './resource-values.js';
import type { ValueKey, ValueProvider } from './resource-values.js';

const KEY = '/registry/secrets/default/one';
const VALUE = Buffer.from('{"kind":"Secret"}');
const secretOf = (fill: string): Buffer => Buffer.from(fill.repeat(32));

const keyOf = (name: string, fill: string, cipher: typeof aesCbc): ValueKey => ({
  name,
  id: `${name} ${fill}`,
  cipher: cipher(secretOf(fill)),
});
const cbc = (name: string, fill: string): ValueProvider => ({
  name: 'aescbc',
  keys: [keyOf(name, fill, aesCbc)],
});
const gcm = (name: string, fill: string): ValueProvider => ({
  name: 'aesgcm',
  keys: [keyOf(name, fill, aesGcm)],
});
const box = (name: string, fill: string): ValueProvider => ({
  name: 'secretbox',
  keys: [keyOf(name, fill, secretbox)],
});
const identity: ValueProvider = { name: 'identity' };

describe('values of a resource', () => {
  it.each([
    ['aescbc', cbc('one', 'a'), 'k8s:enc:aescbc:v1:one:'],
    ['aesgcm', gcm('one', 'a'), 'k8s:enc:aesgcm:v1:one:'],
    ['secretbox', box('one', 'a'), 'k8s:enc:secretbox:v1:one:'],
  ])('are encrypted by %s behind a prefix, and read again', (_, provider, prefix) => {
    const values = new ResourceValues([provider]);
    const stored = values.encrypt(VALUE, KEY);
    expect(stored.toString('latin1').startsWith(prefix)).toBe(true);
    expect(stored.includes(VALUE)).toBe(false);
    expect(values.open(stored, KEY)).toMatchObject({ value: VALUE, id: values.writesWith });
  });

  it.each([16, 24, 32])('take AES keys of %i bytes', (length) => {
    for (const cipher of [aesCbc, aesGcm]) {
      const { encrypt, decrypt } = cipher(Buffer.alloc(length, 7));
      expect(decrypt(encrypt(VALUE, KEY), KEY)).toEqual(VALUE);
    }
  });

  it('are read by whichever provider fits; what the first does not write is of another id', () => {
    const stored = new ResourceValues([cbc('old', 'a')]).encrypt(VALUE, KEY);
    const values = new ResourceValues([box('new', 'b'), cbc('old', 'a'), identity]);
    expect(values.open(stored, KEY)).toMatchObject({ value: VALUE, id: 'old a' });
    expect(values.open(VALUE, KEY)).toMatchObject({ value: VALUE, id: '' });
    expect(values.writesWith).toBe('new b');
  });

  it('are tried with every provider of a prefix', () => {
    const stored = new ResourceValues([cbc('k', 'a')]).encrypt(VALUE, KEY);
    const values = new ResourceValues([cbc('k2', 'b'), cbc('k', 'a')]);
    expect(values.open(stored, KEY)).toMatchObject({ value: VALUE, id: 'k a' });
  });

  it('go back to what they are when identity is first', () => {
    const stored = new ResourceValues([gcm('k', 'a')]).encrypt(VALUE, KEY);
    const values = new ResourceValues([identity, gcm('k', 'a')]);
    expect(values.open(stored, KEY)).toMatchObject({ value: VALUE, id: 'k a' });
    expect(values.encrypt(VALUE, KEY)).toBe(VALUE);
    expect(values.writesWith).toBe('');
  });

  const of = (provider: ValueProvider, at = KEY): Buffer =>
    new ResourceValues([provider]).encrypt(VALUE, at);
  it.each<[string, readonly ValueProvider[], Buffer, string]>([
    ['plain, without identity', [cbc('k', 'a')], VALUE, 'no matching prefix found'],
    ['of another provider', [cbc('k', 'a')], of(gcm('k', 'a')), 'no matching prefix found'],
    [
      'of another key',
      [cbc('k', 'a')],
      of(cbc('l', 'a')),
      'no matching key was found for the provided AES transformer',
    ],
    [
      'of another box',
      [box('k', 'a')],
      of(box('l', 'a')),
      'no matching key was found for the provided Secretbox transformer',
    ],
    [
      'of another secret (GCM)',
      [gcm('k', 'a')],
      of(gcm('k', 'b')),
      'cipher: message authentication failed',
    ],
    [
      'moved from another key of etcd (GCM)',
      [gcm('k', 'a')],
      of(gcm('k', 'a'), '/registry/secrets/default/two'),
      'cipher: message authentication failed',
    ],
    [
      'of another secret (box)',
      [box('k', 'a')],
      of(box('k', 'b')),
      'output array was not large enough for encryption',
    ],
    [
      'cut off',
      [cbc('k', 'a')],
      Buffer.from('k8s:enc:aescbc:v1:k:short'),
      'the stored data was shorter than the required size',
    ],
    [
      'no whole blocks',
      [cbc('k', 'a')],
      Buffer.from(`k8s:enc:aescbc:v1:k:${'x'.repeat(33)}`),
      'the stored data is not a multiple of the block size',
    ],
    ['encrypted, for identity alone', [identity], of(cbc('k', 'a')), 'no matching prefix found'],
  ])('that are %s are told', (_, providers, stored, problem) => {
    expect(new ResourceValues(providers).open(stored, KEY)).toEqual({ problem });
  });
});
