import { describe, expect, it } from '@jest/globals';
import { LineCache } from './line-cache.js';

describe('LineCache', () => {
  it('makes the line of an object once for each form', () => {
    const cache = new LineCache(100);
    const subject = {};
    const made = cache.lineOf(subject, 'json', () => Buffer.from('a'));
    expect(cache.lineOf(subject, 'json', () => Buffer.from('b'))).toBe(made);
    expect(cache.lineOf(subject, 'protobuf', () => Buffer.from('c')).toString()).toBe('c');
    expect(cache.lineOf({}, 'json', () => Buffer.from('d')).toString()).toBe('d');
  });

  it.each([
    { name: 'keeps a line while one generation of others has come', others: 2, kept: true },
    { name: 'forgets it when two have come', others: 4, kept: false },
  ])('$name', ({ others, kept }) => {
    const cache = new LineCache(100);
    const subject = {};
    const bytes = (): Buffer => Buffer.alloc(40);
    const made = cache.lineOf(subject, '', bytes);
    for (let i = 0; i < others; i++) cache.lineOf({}, '', bytes);
    expect(cache.lineOf(subject, '', bytes) === made).toBe(kept);
  });
});
