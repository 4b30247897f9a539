import type { Device, DeviceToleration } from '@orrery/api';
import { toleratesDeviceTaint } from '@orrery/controller';

/** Taints keep a device from requests that do not tolerate them; other effects than these two are for other times. */
export const isRepelled = (
  { taints = [] }: Device,
  tolerations: readonly DeviceToleration[],
): boolean =>
  taints.some(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !tolerations.some((each) => toleratesDeviceTaint(each, taint)),
  );
