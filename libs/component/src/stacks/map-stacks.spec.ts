import { SourceMap } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { BundleMap } from './bundle-map.js';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function encode(value: number): string {
  let rest = value < 0 ? -value * 2 + 1 : value * 2;
  let text = '';
  do {
    const digit = rest % 32;
    rest = Math.floor(rest / 32);
    text += DIGITS[rest > 0 ? digit + 32 : digit];
  } while (rest > 0);
  return text;
}

/** Bundles of `lines` lines with a segment each `step` columns, from two sources in turn. */
function mapOf(lines: number, perLine: number, step: number): string {
  let before = [0, 0, 0];
  const mappings = Array.from({ length: lines }, (_, line) =>
    Array.from({ length: perLine }, (_unused, i) => {
      const place = [i % 2, line * perLine + i, (i * 7) % 90];
      const parts = [i === 0 ? 0 : step, ...place.map((value, n) => value - (before[n] ?? 0))];
      before = place;
      return parts.map(encode).join('');
    }).join(','),
  ).join(';');
  return JSON.stringify({ version: 3, sources: ['a.ts', 'b.ts'], names: [], mappings });
}

describe('BundleMap', () => {
  it.each([
    { name: 'one line', lines: 1, perLine: 5000 },
    { name: 'many lines', lines: 300, perLine: 20 },
  ])("finds what Node's decoder finds in a bundle of $name", ({ lines, perLine }) => {
    const text = mapOf(lines, perLine, 5);
    const ours = new BundleMap(Buffer.from(text));
    const nodes = new SourceMap(JSON.parse(text) as never);
    for (let i = 0; i < 400; i++) {
      const [line, column] = [(i * 37) % lines, (i * 7919) % (perLine * 5)];
      const theirs = nodes.findEntry(line, column) as Record<string, unknown>;
      expect(ours.find(line + 1, column + 1)).toEqual({
        source: theirs['originalSource'],
        line: Number(theirs['originalLine']) + 1,
        column: Number(theirs['originalColumn']) + 1,
      });
    }
  });

  it.each([
    { name: 'a line behind the last', line: 9, column: 1 },
    { name: 'an empty line', line: 2, column: 1 },
    { name: 'what comes from no source', line: 1, column: 12 },
  ])('finds nothing for $name', ({ line, column }) => {
    const text = JSON.stringify({ sources: ['a.ts'], mappings: 'AAAA,U;;AACA' });
    expect(new BundleMap(Buffer.from(text)).find(line, column)).toBeUndefined();
    expect(new BundleMap(Buffer.from(text)).find(3, 1)).toEqual({
      source: 'a.ts',
      line: 2,
      column: 1,
    });
  });

  it.each([
    { name: 'no JSON', text: 'x', message: 'JSON' },
    {
      name: 'no base 64',
      text: JSON.stringify({ sources: [], mappings: 'A!' }),
      message: 'base 64',
    },
  ])('refuses $name', ({ text, message }) => {
    expect(() => new BundleMap(Buffer.from(text)).find(9, 9)).toThrow(message);
  });
});
