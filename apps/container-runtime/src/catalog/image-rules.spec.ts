import { describe, expect, it } from '@jest/globals';
import { scriptOf } from '../engine/script.js';
import { Catalog } from './catalog.js';
import type { CatalogRule } from './catalog.js';
import { usableRules } from './image-rules.js';
import type { ImageRule } from './image-rules.js';

const rule = (name: string, spec: CatalogRule): ImageRule => ({ metadata: { name }, spec });

describe('usableRules()', () => {
  it('orders rules by name and refuses what is no regular expression', () => {
    const refused: string[] = [];
    const rules = usableRules(
      [rule('b', { match: 'shop' }), rule('c', { match: '(' }), rule('a', { match: 'web' })],
      ({ metadata }) => refused.push(metadata.name ?? ''),
    );
    expect(rules.map(({ match }) => match)).toEqual(['web', 'shop']);
    expect(refused).toEqual(['c']);
  });
});

describe('Catalog, with rules of the API', () => {
  const catalog = new Catalog([{ match: 'both', program: 'nginx' }]);

  it('has what they say, behind the rules of its folder, until they are gone', () => {
    catalog.setObjects([
      { match: 'both', program: 'redis' },
      { match: '^registry\\.example\\.com/shop/', command: ['sleep', '5'], sizeBytes: 7 },
      { match: 'slow:', behaviour: { startDelay: '3s', memory: '32Mi' } },
      { match: 'old:', failure: 'not-found' },
    ]);
    expect(catalog.programOf('both:1')).toBe('nginx');
    expect(catalog.commandOf('registry.example.com/shop/cart:1')).toEqual(['sleep', '5']);
    expect(() => catalog.resolve('old:1')).toThrow('not found');
    const script = (annotations: Readonly<Record<string, string>>) =>
      scriptOf({ container: 'c', env: {}, annotations, image: catalog.behaviourOf('slow:1') });
    expect(script({})).toMatchObject({ startDelayMs: 3_000, memoryBytes: 32 * 1024 * 1024 });
    expect(script({ 'orrery.dev/start-delay': '1s' }).startDelayMs).toBe(1_000);
    catalog.setObjects([{ match: 'shop/', credentials: '^ada:' }]);
    expect(() => catalog.resolve('shop/cart', 'bob:secret')).toThrow('authorization failed');
    expect(() => catalog.resolve('shop/cart')).toThrow('authorization failed');
    expect(catalog.resolve('shop/cart', 'ada:secret').repository).toBe('shop/cart');
    catalog.setObjects([]);
    expect(catalog.commandOf('registry.example.com/shop/cart:1')).toEqual([]);
    expect(catalog.resolve('old:1').tag).toBe('1');
  });
});
