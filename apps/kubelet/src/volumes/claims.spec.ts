import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Node, PersistentVolume, PersistentVolumeClaim, Volume } from '@orrery/api';
import { newNotFound } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { podOf } from '../../test/builders.js';
import { ClaimMounter, fitsNode } from './claims.js';

const POD = podOf('p');
const VOLUME: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'claim' } };
const NODE: Node = { metadata: { name: 'n1', labels: { zone: 'a' } }, spec: {} };

const claimOf = (phase: string, extra: object = {}): PersistentVolumeClaim =>
  ({
    metadata: { name: 'claim', namespace: 'default', uid: 'c1', ...extra },
    spec: { volumeName: 'pv' },
    status: { phase },
  }) as PersistentVolumeClaim;

const pvOf = (spec: PersistentVolume['spec']): PersistentVolume => ({
  metadata: { name: 'pv' },
  spec: { claimRef: { uid: 'c1' }, ...spec },
});

const onNode = (key: string, value: string): PersistentVolume['spec'] => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: [value] }] }],
    },
  },
});

function mounter(
  claim: PersistentVolumeClaim | undefined,
  pv: PersistentVolume | undefined,
): ClaimMounter {
  const get = (): Promise<PersistentVolume> =>
    pv
      ? Promise.resolve(pv)
      : Promise.reject(newNotFound({ group: '', resource: 'persistentvolumes' }, 'pv'));
  const client = { resource: () => ({ get }) } as unknown as KubeClient;
  return new ClaimMounter({ client, claim: () => Promise.resolve(claim), node: () => NODE });
}

describe(ClaimMounter.name, () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'claims-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('gives the folder of a bound local or hostPath volume', async () => {
    const local = mounter(claimOf('Bound'), pvOf({ local: { path: folder } }));
    expect(await local.mount(POD, VOLUME)).toMatchObject({ path: folder, readOnly: false });
    const path = join(folder, 'made', 'here');
    const hostPath = mounter(claimOf('Bound'), pvOf({ hostPath: { path } }));
    const readOnly: Volume = {
      name: 'data',
      persistentVolumeClaim: { claimName: 'claim', readOnly: true },
    };
    expect(await hostPath.mount(POD, readOnly)).toMatchObject({ path, readOnly: true });
  });

  it('makes a folder that every user may write to, as a provisioner of local paths', async () => {
    const path = join(folder, 'writable');
    const pv = pvOf({ hostPath: { path, type: 'DirectoryOrCreate' } });
    const annotations = { 'pv.kubernetes.io/provisioned-by': 'rancher.io/local-path' };
    const provisioned = { ...pv, metadata: { ...pv.metadata, annotations } };
    await mounter(claimOf('Bound'), provisioned).mount(POD, VOLUME);
    expect(statSync(path).mode & 0o7777).toBe(0o777);
  });

  it('gives a local volume to the group of the pod, with all that is in it', async () => {
    const path = join(folder, 'local');
    mkdirSync(join(path, 'below'), { recursive: true });
    writeFileSync(join(path, 'below', 'file'), '', { mode: 0o600 });
    const pod = { ...POD, spec: { ...POD.spec, securityContext: { fsGroup: 4321 } } };
    const link = join(folder, 'link');
    symlinkSync(path, link);
    await mounter(claimOf('Bound'), pvOf({ local: { path: link } })).mount(pod, VOLUME);
    const isRoot = process.geteuid?.() === 0;
    const seen = ['', 'below', 'below/file'].map((name) => statSync(join(path, name)));
    expect(seen.map(({ gid }) => gid)).toEqual(Array(3).fill(isRoot ? 4321 : process.getegid?.()));
    expect(seen.map(({ mode }) => mode & 0o7777)).toEqual(
      isRoot ? [0o2775, 0o2775, 0o660] : [0o755, 0o755, 0o600],
    );
  });

  it.each<{ name: string; mode: number; want: number }>([
    { name: 'its root belongs to it', mode: 0o2775, want: 0o600 },
    { name: 'its root lacks a bit', mode: 0o775, want: 0o660 },
  ])('under OnRootMismatch looks at the root alone: $name', async ({ mode, want }) => {
    if (process.geteuid?.() !== 0) return;
    const path = mkdtempSync(join(folder, 'mismatch-'));
    writeFileSync(join(path, 'file'), '', { mode: 0o600 });
    chownSync(path, 0, 4321);
    chmodSync(path, mode);
    const securityContext = { fsGroup: 4321, fsGroupChangePolicy: 'OnRootMismatch' as const };
    const pod = { ...POD, spec: { ...POD.spec, securityContext } };
    await mounter(claimOf('Bound'), pvOf({ local: { path } })).mount(pod, VOLUME);
    expect(statSync(join(path, 'file')).mode & 0o7777).toBe(want);
  });

  it.each<[string, PersistentVolumeClaim | undefined, PersistentVolume | undefined, string]>([
    [
      'there is no claim',
      undefined,
      undefined,
      'failed to fetch PVC from API server: persistentvolumeclaims "claim" not found',
    ],
    [
      'the claim is not bound',
      claimOf('Pending'),
      undefined,
      'error processing PVC default/claim: PVC is not bound',
    ],
    [
      'the claim is being deleted',
      claimOf('Bound', { deletionTimestamp: 'x' }),
      undefined,
      'PVC is being deleted',
    ],
    ['the volume is gone', claimOf('Bound'), undefined, 'persistentvolumes "pv" not found'],
    [
      'the volume belongs to another claim',
      claimOf('Bound'),
      pvOf({ claimRef: { uid: 'c2' } }),
      'PV.spec.claimRef.UID does not match PVC.UID',
    ],
    [
      'the volume is on another node',
      claimOf('Bound'),
      pvOf({ local: { path: '/x' }, ...onNode('zone', 'b') }),
      'MountVolume.NodeAffinity check failed for volume "pv" : no matching NodeSelectorTerms',
    ],
    [
      'the local folder is not there',
      claimOf('Bound'),
      pvOf({ local: { path: '/no/such/folder' } }),
      'path "/no/such/folder" does not exist',
    ],
    [
      'the source is another',
      claimOf('Bound'),
      pvOf({ nfs: { path: '/', server: 's' } }),
      'volume source nfs of PersistentVolume "pv" is not modelled',
    ],
  ])('says so when %s', async (_name, claim, pv, text) => {
    await expect(mounter(claim, pv).mount(POD, VOLUME)).rejects.toThrow(text);
  });

  it('takes an ephemeral claim only when it was made for the pod', async () => {
    const volume: Volume = { name: 'data', ephemeral: {} };
    const stolen = mounter(claimOf('Bound'), pvOf({ local: { path: '/x' } }));
    await expect(stolen.mount(POD, volume)).rejects.toThrow(
      'was not created for pod default/p (pod is not owner)',
    );
  });
});

describe('fitsNode()', () => {
  it.each<[string, PersistentVolume['spec'], boolean]>([
    ['no affinity', {}, true],
    ['a label that it has', onNode('zone', 'a'), true],
    ['a label that it has not', onNode('zone', 'b'), false],
  ])('with %s', (_name, spec, want) => {
    expect(fitsNode(pvOf(spec), NODE)).toBe(want);
  });
});
