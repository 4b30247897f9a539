import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { RepeatedBodies } from './repeated-bodies.js';

const body = (name: string): Buffer => Buffer.from(JSON.stringify({ metadata: { name } }));
const objectOf = (name: string): KubeObject => ({ metadata: { name, labels: {} } });

describe('repeated bodies', () => {
  it('are read twice, and copied from then on', () => {
    const bodies = new RepeatedBodies();
    expect(bodies.find(body('a'))).toBeUndefined();
    bodies.note(body('a'), objectOf('a'));
    expect(bodies.find(body('a'))).toBeUndefined();
    bodies.note(body('a'), objectOf('a'));
    const first = bodies.find(body('a'));
    expect(first).toStrictEqual(objectOf('a'));
    if (first) first.metadata.labels = { changed: 'here' };
    expect(bodies.find(body('a'))).toStrictEqual(objectOf('a'));
    expect(bodies.find(body('b'))).toBeUndefined();
  });

  it('do not change with what was read of them', () => {
    const bodies = new RepeatedBodies();
    const object = objectOf('a');
    const bytes = body('a');
    bodies.note(bytes, object);
    bodies.note(bytes, object);
    object.metadata.name = 'other';
    bytes.fill(0);
    expect(bodies.find(body('a'))).toStrictEqual(objectOf('a'));
  });

  it('give way to newer ones, and none is kept that is long', () => {
    const bodies = new RepeatedBodies();
    const noteTwice = (name: string): void => {
      bodies.note(body(name), objectOf(name));
      bodies.note(body(name), objectOf(name));
    };
    noteTwice('a');
    for (let i = 0; i < 15; i++) noteTwice(`b${i}`);
    expect(bodies.find(body('a'))).toBeDefined();
    noteTwice('c');
    expect(bodies.find(body('a'))).toBeUndefined();
    expect(bodies.find(body('c'))).toBeDefined();
    const long = 'x'.repeat(8 * 1024);
    noteTwice(long);
    expect(bodies.find(body(long))).toBeUndefined();
  });
});
