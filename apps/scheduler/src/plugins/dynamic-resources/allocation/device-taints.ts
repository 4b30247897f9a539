import type { Device, DeviceTaint, DeviceToleration } from '@orrery/api';

function tolerates(toleration: DeviceToleration, taint: DeviceTaint): boolean {
  const { effect, key, operator = 'Equal', value = '' } = toleration;
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || value === (taint.value ?? '');
}

/** Taints keep a device from requests that do not tolerate them (k8s resourceclaim/devicetoleration.go). */
export const isRepelled = (
  { taints = [] }: Device,
  tolerations: readonly DeviceToleration[],
): boolean =>
  taints.some(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !tolerations.some((each) => tolerates(each, taint)),
  );
