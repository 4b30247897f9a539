import type { DeviceTaint, DeviceToleration } from '@orrery/api';

/** Whether a request for a device puts up with one of its taints (k8s resourceclaim/devicetoleration.go). */
export function toleratesDeviceTaint(toleration: DeviceToleration, taint: DeviceTaint): boolean {
  const { effect, key, operator = 'Equal', value = '' } = toleration;
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || value === (taint.value ?? '');
}
