import type { VolumeMount } from '@orrery/api';

export interface RecursiveMode {
  readonly mode: boolean;
  /** Why the mount cannot be made so, in upstream's words. */
  readonly problem?: string;
}

/** Whether the mounts below a read-only one are read-only too (k8s pkg/kubelet/kubelet_pods.go:resolveRecursiveReadOnly). */
export function recursiveReadOnly(mount: VolumeMount, supported: boolean): RecursiveMode {
  const { name, recursiveReadOnly: wanted = 'Disabled', mountPropagation = 'None' } = mount;
  const refused = (why: string): RecursiveMode => ({
    mode: false,
    problem: `volume ${JSON.stringify(name)} requested recursive read-only mode, but it is not ${why}`,
  });
  if (wanted === 'Disabled') return { mode: false };
  if (!mount.readOnly) return refused('read-only');
  if (mountPropagation !== 'None')
    return refused(`compatible with propagation ${JSON.stringify(mountPropagation)}`);
  if (wanted === 'IfPossible' || supported) return { mode: supported };
  return refused('supported by the runtime');
}
