import { describe, expect, it } from '@jest/globals';
import { finish } from '@orrery/apimachinery';
import { jsonPieces } from './json-pieces.js';

describe('jsonPieces()', () => {
  const document = {
    openapi: '3.0.0',
    none: undefined,
    paths: { '/a': { get: { tags: ['x'] } }, '/b"': {} },
    empty: {},
    components: { schemas: { A: { type: 'object', properties: { p: undefined } }, B: null } },
  };

  it.each([0, 1, 2, 3, 9])('writes what JSON.stringify does, down to %i levels', (depth) => {
    const text = Buffer.concat(finish(jsonPieces(document, depth))).toString();
    expect(text).toBe(JSON.stringify(document));
  });

  it('can be interrupted at each field', () => {
    const steps = jsonPieces({ paths: document.paths, list: [1, 2] }, 2);
    let turns = 0;
    while (!steps.next().done) turns += 1;
    expect(turns).toBe(3);
  });
});
