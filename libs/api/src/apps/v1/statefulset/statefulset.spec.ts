import { describe, expect, it } from '@jest/globals';
import type { StatefulSet } from '../../../types.js';
import type { KindContext } from '../../../kind.js';
import { StatefulSetKind, setStatefulSetDefaults } from './statefulset.kind.js';

const context: KindContext = { now: '2026-01-02T03:04:05Z', warn: () => undefined };

const set = (mount: string): StatefulSet => ({
  metadata: { name: 'db', namespace: 'default' },
  spec: {
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: {
      metadata: { labels: { app: 'db' } },
      spec: {
        containers: [
          { name: 'db', image: 'redis:7', volumeMounts: [{ name: mount, mountPath: '/data' }] },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
        },
      },
    ],
  },
});

const findings = (mount: string): string[] => {
  const object = set(mount);
  setStatefulSetDefaults(object);
  return (StatefulSetKind.strategy.validate?.(object, context) ?? []).map(
    ({ field, message }) => `${field}: ${message}`,
  );
};

describe('StatefulSetKind', () => {
  it.each<{ name: string; mount: string; want: string[] }>([
    { name: 'lets a container mount a claim template', mount: 'data', want: [] },
    {
      name: 'refuses a mount of what is neither volume nor claim template',
      mount: 'nowhere',
      want: ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "nowhere"'],
    },
  ])('$name', ({ mount, want }) => {
    expect(findings(mount)).toEqual(want);
  });
});
