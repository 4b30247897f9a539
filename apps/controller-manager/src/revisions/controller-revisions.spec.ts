import { describe, expect, it } from '@jest/globals';
import type { ControllerRevision } from '@orrery/api';
import { decideRevision, revisionData } from './controller-revisions.js';

const template = {
  spec: { containers: [{ name: 'c', image: 'nginx' }] },
  metadata: { labels: { b: '1', a: '2' } },
};

describe('revisionData()', () => {
  it('has the bytes that clients make of the template', () => {
    expect(JSON.stringify(revisionData(template))).toBe(
      '{"spec":{"template":{"$patch":"replace","metadata":{"creationTimestamp":null,"labels":{"a":"2","b":"1"}},"spec":{"containers":[{"image":"nginx","name":"c"}]}}}}',
    );
  });
});

const metadata = { name: 'web', namespace: 'shop', uid: 'u' };
const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata };
const ownerReference = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'web', uid: 'u' };
const request = { owner, ownerReference, template, hashLabel: 'hash', collisions: 0 };

/** A revision of the template, or of another image of it, written in another order than ours. */
const revision = (name: string, number: number, image = 'nginx'): ControllerRevision => ({
  metadata: { name },
  revision: number,
  data: {
    spec: {
      template: { ...template, spec: { containers: [{ image, name: 'c' }] }, $patch: 'replace' },
    },
  },
});

interface Row {
  it: string;
  existing: ControllerRevision[];
  action: string;
  current: unknown;
  number: number;
  duplicates?: string[];
}

describe('decideRevision()', () => {
  it.each<Row>([
    {
      it: 'keeps the only one',
      existing: [revision('a', 1)],
      action: 'keep',
      current: 'a',
      number: 1,
    },
    {
      it: 'keeps the highest of equal ones and names the others',
      existing: [revision('a', 1), revision('b', 2)],
      action: 'keep',
      current: 'b',
      number: 2,
      duplicates: ['a'],
    },
    {
      it: 'numbers an older template anew',
      existing: [revision('a', 1), revision('b', 4, 'other')],
      action: 'renumber',
      current: 'a',
      number: 5,
    },
    {
      it: 'numbers one anew that is as high as another template',
      existing: [revision('b', 2), revision('a', 2, 'other')],
      action: 'renumber',
      current: 'b',
      number: 3,
    },
    {
      it: 'makes one after those of other templates',
      existing: [revision('b', 2, 'other')],
      action: 'create',
      current: expect.stringMatching(/^web-/),
      number: 3,
    },
  ])('$it', ({ existing, action, current, number, duplicates = [] }) => {
    const decision = decideRevision({ ...request, existing });
    expect(decision.action).toBe(action);
    expect(decision.current.metadata.name).toEqual(current);
    expect(decision.current.revision).toBe(number);
    expect(decision.duplicates.map((one) => one.metadata.name)).toEqual(duplicates);
  });

  it('gives a new revision the annotations of its owner, which tell why it is there', () => {
    const annotations = { 'kubernetes.io/change-cause': 'kubectl apply --record' };
    const annotated = { ...owner, metadata: { ...metadata, annotations } };
    const { current } = decideRevision({ ...request, owner: annotated, existing: [] });
    expect(current.metadata.annotations).toEqual(annotations);
  });

  it('names two templates of one hash apart by what was met before', () => {
    const names = [0, 1].map(
      (collisions) =>
        decideRevision({ ...request, existing: [], collisions }).current.metadata.name,
    );
    expect(new Set(names).size).toBe(2);
  });
});
