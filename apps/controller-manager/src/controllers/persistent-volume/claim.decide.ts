import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@orrery/api';
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  DEFAULT_CLASS,
  SELECTED_NODE,
} from './annotations.js';
import { classOf, findVolume, isKeptFor, mismatchOf } from './match-volume.js';

export interface Told {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** What is to be done about a claim. */
export type ClaimDecision =
  | { readonly act: 'bind'; readonly volume: PersistentVolume }
  | { readonly act: 'set-class'; readonly name: string }
  | { readonly act: 'provision'; readonly provisioner: string; readonly event: Told }
  | { readonly act: 'wait'; readonly event?: Told }
  | { readonly act: 'lose'; readonly event: Told };

export interface ClaimWorld {
  readonly claim: PersistentVolumeClaim;
  readonly volumes: readonly PersistentVolume[];
  readonly classes: readonly StorageClass[];
  /** Pods of the namespace that use the claim. */
  readonly users: readonly Pod[];
  readonly provisioning: boolean;
}

const normal = (reason: string, message: string): Told => ({ type: 'Normal', reason, message });
const warning = (reason: string, message: string): Told => ({ type: 'Warning', reason, message });

/** Pure: what to do about a claim (k8s pv_controller.go: syncClaim). */
export function decideClaim(world: ClaimWorld): ClaimDecision {
  const { claim } = world;
  if (claim.metadata.annotations?.[BIND_COMPLETED]) return decideBound(world);
  return claim.spec?.volumeName ? decideNamed(world) : decideUnbound(world);
}

function decideBound({ claim, volumes }: ClaimWorld): ClaimDecision {
  const lost = (text: string, reason = 'ClaimLost'): ClaimDecision => ({
    act: 'lose',
    event: warning(reason, text),
  });
  const name = claim.spec?.volumeName;
  if (!name)
    return lost('Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
  const volume = volumes.find(({ metadata }) => metadata.name === name);
  if (!volume)
    return lost('Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  const { claimRef } = volume.spec ?? {};
  if (!claimRef || claimRef.uid === claim.metadata.uid) return { act: 'bind', volume };
  return lost(
    'Two claims are bound to the same volume, this one is bound incorrectly',
    'ClaimMisbound',
  );
}

/** The user named the volume. */
function decideNamed({ claim, volumes }: ClaimWorld): ClaimDecision {
  const name = claim.spec?.volumeName ?? '';
  const volume = volumes.find(({ metadata }) => metadata.name === name);
  if (!volume) return { act: 'wait' };
  if (!volume.spec?.claimRef) {
    const problem = mismatchOf(volume, claim);
    if (!problem) return { act: 'bind', volume };
    const text = `Cannot bind to requested volume "${name}": ${problem}`;
    return { act: 'wait', event: warning('VolumeMismatch', text) };
  }
  if (isKeptFor(volume, claim)) return { act: 'bind', volume };
  const text = `volume "${name}" already bound to a different claim.`;
  return { act: 'wait', event: warning('FailedBinding', text) };
}

const waitsForPod = (claim: PersistentVolumeClaim, storage: StorageClass | undefined): boolean =>
  storage?.volumeBindingMode === 'WaitForFirstConsumer' &&
  claim.metadata.annotations?.[SELECTED_NODE] === undefined;

function decideUnbound(world: ClaimWorld): ClaimDecision {
  const { claim, volumes, classes, users } = world;
  const name = classOf(claim);
  const storage = classes.find(({ metadata }) => metadata.name === name);
  const waits = waitsForPod(claim, storage);
  const volume = findVolume(claim, volumes, waits);
  if (volume) return { act: 'bind', volume };
  if (claim.spec?.storageClassName === undefined && name === '') {
    const chosen = defaultClass(classes);
    if (chosen) return { act: 'set-class', name: chosen };
  }
  if (waits) return { act: 'wait', event: waitingFor(users) };
  if (name !== '') return decideProvisioning(world, name, storage);
  const text = 'no persistent volumes available for this claim and no storage class is set';
  return { act: 'wait', event: normal('FailedBinding', text) };
}

/** The newest of the default classes; of equally old ones the first by name (k8s pkg/volume/util/storageclass.go). */
function defaultClass(classes: readonly StorageClass[]): string | undefined {
  const defaults = classes.filter(
    ({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true',
  );
  const age = ({ metadata }: StorageClass): number =>
    Date.parse(metadata.creationTimestamp ?? '') || 0;
  const order = (a: StorageClass, b: StorageClass): number =>
    age(b) - age(a) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);
  return [...defaults].sort(order)[0]?.metadata.name;
}

function waitingFor(users: readonly Pod[]): Told {
  const names = users.filter(({ spec }) => !spec?.nodeName).map(({ metadata }) => metadata.name);
  if (names.length === 0)
    return normal(
      'WaitForFirstConsumer',
      'waiting for first consumer to be created before binding',
    );
  const what = names.length === 1 ? `pod ${names[0]}` : `pods ${names.join(',')}`;
  return normal('WaitForPodScheduled', `waiting for ${what} to be scheduled`);
}

function decideProvisioning(
  { provisioning }: ClaimWorld,
  name: string,
  storage: StorageClass | undefined,
): ClaimDecision {
  if (!provisioning) return { act: 'wait' };
  const failed = (text: string): ClaimDecision => ({
    act: 'wait',
    event: warning('ProvisioningFailed', text),
  });
  if (!storage) return failed(`storageclass.storage.k8s.io "${name}" not found`);
  const { provisioner } = storage;
  // Drivers within the tree there are none any more.
  if (provisioner.startsWith('kubernetes.io/'))
    return failed(`no volume plugin matched name: ${provisioner}`);
  const text = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  return { act: 'provision', provisioner, event: normal('ExternalProvisioning', text) };
}

/** Whether the partner that a claim or volume names was chosen by the binder. */
export const isChosenByBinder = ({ metadata }: PersistentVolume | PersistentVolumeClaim): boolean =>
  metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined;
