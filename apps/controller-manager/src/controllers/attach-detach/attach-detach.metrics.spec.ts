import { expect, it } from '@jest/globals';
import { createMetrics } from '@orrery/component';
import { createAttachMeters } from './attach-detach.metrics.js';
import type { AttachCaches } from './attach-detach.reconciler.js';

const pod = (name: string, claim: string) => ({
  metadata: { name, namespace: 'n' },
  spec: { nodeName: 'n1', volumes: [{ name: 'v', persistentVolumeClaim: { claimName: claim } }] },
  status: { phase: 'Running' },
});

const volumes = {
  disk: { metadata: { name: 'disk' }, spec: { csi: { driver: 'd', volumeHandle: 'h' } } },
  path: { metadata: { name: 'path' }, spec: { hostPath: { path: '/' } } },
};

it('counts volumes in use, those to attach once for each node, and those that are attached', async () => {
  const caches = {
    pods: { list: () => [pod('a', 'disk'), pod('b', 'disk'), pod('c', 'path')] },
    claims: { get: ({ name }: { name: string }) => ({ spec: { volumeName: name } }) },
    volumes: { get: ({ name }: { name: 'disk' | 'path' }) => volumes[name] },
    drivers: { get: () => undefined },
    attachments: {
      list: () => [
        { spec: { attacher: 'd' }, status: { attached: true } },
        { spec: { attacher: 'd' }, status: { attached: false } },
      ],
    },
  } as unknown as AttachCaches;
  const metrics = createMetrics();
  createAttachMeters(metrics, caches)('out-of-service');
  const lines = (await metrics.text()).split('\n').filter((line) => / \d+$/.test(line));
  expect(lines).toEqual([
    'storage_count_attachable_volumes_in_use{node="n1",volume_plugin="kubernetes.io/csi:d"} 2',
    'storage_count_attachable_volumes_in_use{node="n1",volume_plugin="kubernetes.io/host-path"} 1',
    'attachdetach_controller_total_volumes{plugin_name="kubernetes.io/csi:d",state="desired_state_of_world"} 1',
    'attachdetach_controller_total_volumes{plugin_name="kubernetes.io/csi:d",state="actual_state_of_world"} 1',
    'attach_detach_controller_attachdetach_controller_forced_detaches{reason="out-of-service"} 1',
  ]);
});
