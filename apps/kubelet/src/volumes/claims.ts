import { chmod, mkdir } from 'node:fs/promises';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '@orrery/api';
import { resources } from '@orrery/api';
import { isNotFound } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { nodeMatchesTerm } from '@orrery/controller';
import { claimNameOf } from '../containers/pod-references.js';
import { kindOfPath, mountHostPath } from './host-path.js';
import { giveVolume } from './ownership.js';
import { VolumeError } from './payload.js';

const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
const LOCAL_PATH = 'rancher.io/local-path';

/** What a pod's volume is on this node. */
export interface MountedVolume {
  readonly path: string;
  readonly readOnly: boolean;
  /** Upstream's name of what mounted it, where that is not told by the pod. */
  readonly plugin?: string;
}

export interface ClaimParts {
  readonly client: KubeClient;
  claim(namespace: string, name: string): Promise<PersistentVolumeClaim | undefined>;
  node(): Node | undefined;
}

function unprocessed(volume: Volume, why: string): VolumeError {
  const { name } = volume;
  return new VolumeError(
    `Unable to attach or mount volumes: unmounted volumes=[${name}], unattached volumes=[], failed to process volumes=[${name}]: ${why}`,
  );
}

/** Whether the volume may be used on the node. */
export function fitsNode({ spec }: PersistentVolume, node: Node | undefined): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return !terms || !node || terms.some((term) => nodeMatchesTerm(term, node));
}

/** Turns claims into folders: the bound PersistentVolume's hostPath or local path. */
export class ClaimMounter {
  constructor(private readonly parts: ClaimParts) {}

  /** Rejects with VolumeError in upstream's words while the claim is not bound or cannot be mounted here. */
  async mount(pod: Pod, volume: Volume): Promise<MountedVolume> {
    const claim = await this.claimOf(pod, volume);
    const persistent = await this.volumeOf(volume, claim);
    const name = persistent.metadata.name ?? '';
    if (!fitsNode(persistent, this.parts.node()))
      throw new VolumeError(
        `MountVolume.NodeAffinity check failed for volume "${name}" : no matching NodeSelectorTerms`,
      );
    const readOnly = volume.persistentVolumeClaim?.readOnly === true;
    try {
      const path = await pathOf(persistent);
      if (persistent.spec?.local && !readOnly) await giveVolume(pod, path);
      const plugin = `kubernetes.io/${persistent.spec?.local ? 'local-volume' : 'host-path'}`;
      return { path, readOnly, plugin };
    } catch (error) {
      throw new VolumeError(
        `MountVolume.NewMounter initialization failed for volume "${name}" : ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }

  /** k8s pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go:getPVCExtractPV. */
  private async claimOf(pod: Pod, volume: Volume): Promise<PersistentVolumeClaim> {
    const namespace = pod.metadata.namespace ?? '';
    const name = claimNameOf(pod, volume) ?? '';
    const claim = await this.parts.claim(namespace, name);
    const at = `error processing PVC ${namespace}/${name}`;
    if (!claim)
      throw unprocessed(
        volume,
        `${at}: failed to fetch PVC from API server: persistentvolumeclaims "${name}" not found`,
      );
    const own = claim.metadata.ownerReferences?.some((one) => one.uid === pod.metadata.uid);
    if (volume.ephemeral && !own)
      throw unprocessed(
        volume,
        `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name ?? ''} (pod is not owner)`,
      );
    if (claim.metadata.deletionTimestamp && !own)
      throw unprocessed(volume, `${at}: PVC is being deleted`);
    if (claim.status?.phase !== 'Bound' || !claim.spec?.volumeName)
      throw unprocessed(volume, `${at}: PVC is not bound`);
    return claim;
  }

  private async volumeOf(volume: Volume, claim: PersistentVolumeClaim): Promise<PersistentVolume> {
    const name = claim.spec?.volumeName ?? '';
    const { namespace = '', name: claimName = '', uid } = claim.metadata;
    const key = `${namespace}/${claimName}`;
    try {
      const found = await this.parts.client.resource(resources.persistentvolumes).get({ name });
      const claimRef = found.spec?.claimRef;
      if (claimRef?.uid === uid) return found;
      throw unprocessed(
        volume,
        claimRef
          ? `error processing PVC ${key}: PV.spec.claimRef.UID does not match PVC.UID`
          : `error processing PVC ${key}: found nil pv.spec.claimRef for volume "${name}"`,
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
      throw unprocessed(
        volume,
        `error processing PVC ${key}: failed to fetch PV ${name} from API server: persistentvolumes "${name}" not found`,
      );
    }
  }
}

/** A provisioner of local paths makes folders for every user; without a type upstream lets the runtime make them. */
async function makeHostPath({ metadata, spec }: PersistentVolume): Promise<void> {
  const { path = '', type = '' } = spec?.hostPath ?? {};
  const isProvisioned = metadata.annotations?.[PROVISIONED_BY] === LOCAL_PATH;
  if ((type !== '' && !isProvisioned) || (await kindOfPath(path)) !== 'none') return;
  await mkdir(path, { recursive: true, mode: 0o755 });
  if (isProvisioned) await chmod(path, 0o777);
}

async function pathOf(persistent: PersistentVolume): Promise<string> {
  const { metadata, spec } = persistent;
  if (spec?.volumeMode === 'Block') throw new VolumeError('volumeMode Block is not modelled');
  if (spec?.hostPath) {
    await makeHostPath(persistent);
    return mountHostPath(spec.hostPath);
  }
  if (spec?.local) {
    if ((await kindOfPath(spec.local.path)) === 'none')
      throw new VolumeError(`path "${spec.local.path}" does not exist`);
    return spec.local.path;
  }
  const known = ['accessModes', 'capacity', 'claimRef', 'mountOptions', 'nodeAffinity'];
  const source = Object.keys(spec ?? {}).find(
    (key) => !known.includes(key) && !/^(persistent|storageClass|volume)/.test(key),
  );
  throw new VolumeError(
    `volume source ${source ?? 'none'} of PersistentVolume "${metadata.name ?? ''}" is not modelled`,
  );
}
