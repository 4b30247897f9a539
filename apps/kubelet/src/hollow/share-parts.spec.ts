import type { ConfigMap, Node } from '@orrery/api';
import { describe, expect, it } from '@jest/globals';
import { partSharing } from './share-parts.js';

const nodeOf = (name: string, cpu = '8'): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    annotations: { a: '1' },
    labels: { host: name },
    managedFields: [{ manager: 'kubelet' }],
  },
  spec: {},
  status: { capacity: { cpu }, allocatable: { cpu }, images: [], addresses: [] },
});

describe(partSharing.name, () => {
  it('keeps what is equal on many nodes once, and drops who manages what', () => {
    const transform = partSharing();
    const [first, second] = [transform(nodeOf('a')), transform(nodeOf('b'))];
    expect(second.status?.capacity).toBe(first.status?.capacity);
    expect(second.metadata.annotations).toBe(first.metadata.annotations);
    expect(second).toEqual({
      ...nodeOf('b'),
      metadata: { name: 'b', annotations: { a: '1' }, labels: { host: 'b' } },
    });
  });

  it('keeps what differs', () => {
    const transform = partSharing();
    transform(nodeOf('a'));
    expect(transform(nodeOf('b', '16')).status?.capacity).toEqual({ cpu: '16' });
  });

  it('leaves a node without status alone', () => {
    const bare: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, spec: {} };
    expect(partSharing()(structuredClone(bare))).toEqual(bare);
  });

  it('shares nothing of other kinds', () => {
    const map: ConfigMap = { kind: 'ConfigMap', metadata: { name: 'a', annotations: { a: '1' } } };
    const transform = partSharing();
    const [first, second] = [transform(structuredClone(map)), transform(structuredClone(map))];
    expect(second.metadata.annotations).not.toBe(first.metadata.annotations);
  });
});
