import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@orrery/api';
import { createMetrics } from '@orrery/component';
import type { Lister } from '@orrery/informers';
import { createVolumeMeters, pluginOf } from './persistent-volume.metrics.js';

const volume = (spec: object, phase = 'Available', annotations = {}): PersistentVolume =>
  ({ metadata: { name: 'v', annotations }, spec, status: { phase } }) as PersistentVolume;

const lister = <T extends KubeObject>(...objects: T[]): Lister<T> =>
  ({ list: () => objects }) as unknown as Lister<T>;

describe('pluginOf()', () => {
  it.each([
    [{ csi: { driver: 'd', volumeHandle: 'h' } }, 'kubernetes.io/csi:d'],
    [{ hostPath: { path: '/' } }, 'kubernetes.io/host-path'],
    [{ local: { path: '/' } }, 'kubernetes.io/local-volume'],
    [{ nfs: { server: 's', path: '/' } }, 'kubernetes.io/nfs'],
    [{ fc: {} }, 'N/A'],
  ])('%j: %s', (spec, want) => {
    expect(pluginOf(volume(spec))).toBe(want);
  });
});

describe('the metrics', () => {
  it('count what there is, and what went wrong', async () => {
    const metrics = createMetrics();
    const claim = {
      metadata: { namespace: 'n', name: 'c' },
      spec: { storageClassName: 'fast', volumeAttributesClassName: 'gold' },
      status: { phase: 'Pending' },
    } as PersistentVolumeClaim;
    const block = volume(
      { local: { path: '/' }, volumeMode: 'Block', storageClassName: 'fast' },
      'Bound',
    );
    const meters = createVolumeMeters(
      metrics,
      lister(block, volume({ hostPath: { path: '/' } }, 'Released')),
      lister(claim),
    );
    meters.deletionFailed(volume({}, 'Released', { 'pv.kubernetes.io/provisioned-by': 'p' }));
    meters.deletionFailed(volume({}));
    await meters.giveClass(() => Promise.resolve());
    await expect(meters.giveClass(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const lines = (await metrics.text()).split('\n').filter((line) => / \d+$/.test(line));
    expect(lines.sort()).toEqual([
      'pv_collector_bound_pv_count{storage_class="fast"} 1',
      'pv_collector_total_pv_count{plugin_name="kubernetes.io/host-path",volume_mode="Filesystem"} 1',
      'pv_collector_total_pv_count{plugin_name="kubernetes.io/local-volume",volume_mode="Block"} 1',
      'pv_collector_unbound_pv_count{storage_class=""} 1',
      'pv_collector_unbound_pvc_count{namespace="n",storage_class="fast",volume_attributes_class="gold"} 1',
      'retroactive_storageclass_errors_total 1',
      'retroactive_storageclass_total 1',
      'volume_operation_total_errors{plugin_name="N/A",operation_name="delete"} 1',
      'volume_operation_total_errors{plugin_name="p",operation_name="delete"} 1',
    ]);
  });
});
