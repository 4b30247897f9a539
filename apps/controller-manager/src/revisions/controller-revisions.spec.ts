import { describe, expect, it } from '@jest/globals';
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

describe('decideRevision()', () => {
  it('knows a revision that was written without a time, in another order', () => {
    const known = {
      metadata: { name: 'web-1' },
      revision: 1,
      data: { spec: { template: { ...template, $patch: 'replace' } } },
    };
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'web' } };
    const ownerReference = { ...owner, name: 'web', uid: 'u' };
    expect(decideRevision({ owner, ownerReference, template, existing: [known] })).toEqual({
      current: known,
      action: 'keep',
    });
  });

  it('gives a new revision the annotations of its owner, which tell why it is there', () => {
    const annotations = { 'kubernetes.io/change-cause': 'kubectl apply --record' };
    const metadata = { name: 'web', namespace: 'shop', annotations };
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata };
    const ownerReference = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'web', uid: 'u' };
    const { current } = decideRevision({ owner, ownerReference, template, existing: [] });
    expect(current.metadata.annotations).toEqual(annotations);
  });
});
