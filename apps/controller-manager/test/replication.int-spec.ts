import { describe, expect, it } from '@jest/globals';
import { resources } from '@orrery/api';
import { eventually } from '@orrery/testkit';
import { useControlPlane } from './control-plane.js';

const plane = useControlPlane({ controllers: ['replicaset', 'deployment'] });

describe('Deployment and ReplicaSet', () => {
  it('make as many pods as are asked for', async () => {
    const labels = { app: 'web' };
    await plane.create(resources.deployments, {
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    });
    await eventually(async () => {
      expect(await plane.list(resources.pods, 'default')).toHaveLength(3);
    });
  });
});
