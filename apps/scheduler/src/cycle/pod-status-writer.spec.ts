import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { pod } from '../../test/builders.js';
import type { KubeClient } from '@orrery/client';
import { SystemClock } from '@orrery/component';
import { PodStatusWriter, statusPatch } from './pod-status-writer.js';

const NOW = '2026-01-01T00:00:00Z';
const refusal = { reason: 'Unschedulable', message: 'no room' } as const;
const condition = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: 'no room',
  lastTransitionTime: NOW,
};

function withStatus(status: NonNullable<Pod['status']>): Pod {
  return { ...pod('a').build(), status };
}

describe('statusPatch()', () => {
  it('writes the condition', () => {
    expect(statusPatch(pod('a').build(), refusal, NOW)).toEqual({
      metadata: { uid: 'uid-a' },
      status: { conditions: [condition] },
    });
  });

  it('writes nothing when nothing is new', () => {
    const known = withStatus({ conditions: [condition] });
    expect(statusPatch(known, refusal, '2026-01-02T00:00:00Z')).toBeUndefined();
  });

  it('keeps the time of the transition when only the message changes', () => {
    const known = withStatus({ conditions: [{ ...condition, message: 'other' }] });
    expect(statusPatch(known, refusal, '2026-01-02T00:00:00Z')).toMatchObject({
      status: { conditions: [condition] },
    });
  });

  it('sets and takes back the nominated node', () => {
    const set = statusPatch(pod('a').build(), { ...refusal, nominatedNode: 'n1' }, NOW);
    expect(set).toMatchObject({ status: { nominatedNodeName: 'n1' } });
    const known = withStatus({ conditions: [condition], nominatedNodeName: 'n1' });
    expect(statusPatch(known, { ...refusal, nominatedNode: '' }, NOW)).toEqual({
      metadata: { uid: 'uid-a' },
      status: { nominatedNodeName: null },
    });
  });
});

describe(PodStatusWriter.name, () => {
  it('annotates by what the role system:kube-scheduler allows', async () => {
    const written: unknown[] = [];
    const client = {
      resource: ({ plural }: { plural: string }) => ({
        patch: (_key: object, _type: string, body: unknown, options?: { subresource?: string }) => {
          written.push([plural, options?.subresource, body]);
          return Promise.resolve(body);
        },
      }),
    } as unknown as KubeClient;
    const writer = new PodStatusWriter(client, new SystemClock());
    const key = { namespace: 'd', name: 'a', uid: 'u' };
    await writer.annotate(key, { metadata: { annotations: { x: 'y' } } });
    expect(written).toEqual([
      ['pods', 'status', { metadata: { annotations: { x: 'y' }, uid: 'u' } }],
    ]);
  });
});
