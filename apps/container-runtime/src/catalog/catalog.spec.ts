import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Catalog } from './catalog.js';

describe('Catalog', () => {
  it.each([
    { image: 'nginx:1.9.1', program: 'nginx' },
    { image: 'library/redis', program: 'redis' },
    { image: 'registry.k8s.io/kube-proxy:v1.36.4', program: 'kube-proxy' },
    { image: 'busybox', program: 'shell' },
    { image: 'team/shop', program: 'echo' },
  ])('finds the program of $image', ({ image, program }) => {
    expect(new Catalog().programOf(image)).toBe(program);
  });

  it.each([
    'team/doesnotexist',
    'nginx:does-not-exist',
    'nginx:notfound',
    'foo:non-existent',
    'nginx:nonexistent',
    'missing/app',
    'registry.invalid/a',
    'unauthorized/a',
    'NOT A NAME',
  ])('refuses %s', (image) => {
    expect(() => new Catalog().resolve(image)).toThrow('image');
  });

  describe('with a folder of rules', () => {
    let folder: string;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'catalog-'));
    });

    afterEach(() => {
      rmSync(folder, { recursive: true });
    });

    it('lets the first matching rule decide', () => {
      writeFileSync(
        join(folder, 'a.yaml'),
        'images:\n- {match: "shop/", program: nginx, sizeBytes: 5}\n- {match: "old", failure: not-found}\n- {match: "nosuch-but-there"}\n',
      );
      const catalog = Catalog.fromFolder(folder);
      expect(catalog.programOf('shop/old')).toBe('nginx');
      const reference = catalog.resolve('shop/old');
      expect(catalog.sizeOf(reference, '')).toBe(5);
      expect(() => catalog.resolve('team/old')).toThrow('not found');
      expect(catalog.resolve('nosuch-but-there').name).toBe('nosuch-but-there');
    });

    it.each([
      { name: 'a file without list', text: 'x: 1', error: 'images: must be a list' },
      { name: 'an unknown field', text: 'images: [{match: a, foo: 1}]', error: '[0].foo' },
      { name: 'no match', text: 'images: [{program: nginx}]', error: '[0].match' },
      { name: 'an unknown program', text: 'images: [{match: a, program: x}]', error: '.program' },
      { name: 'an unknown failure', text: 'images: [{match: a, failure: x}]', error: '.failure' },
    ])('names the file and field of $name', ({ text, error }) => {
      writeFileSync(join(folder, 'bad.yaml'), text);
      expect(() => Catalog.fromFolder(folder)).toThrow(error);
    });
  });
});
