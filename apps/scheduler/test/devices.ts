import type {
  AllocationResult,
  Device,
  DeviceClass,
  DeviceConstraint,
  DeviceRequest,
  ResourceClaim,
  ResourceSlice,
} from '@orrery/api';

export const DRIVER = 'gpu.example.com';

/** A class without selectors, unless given. */
export const deviceClass = (name: string, spec: DeviceClass['spec'] = {}): DeviceClass => ({
  metadata: { name },
  spec,
});

type SliceSpec = Partial<ResourceSlice['spec']>;

/** The only slice of a pool named after the node. */
export const nodeSlice = (
  nodeName: string,
  devices: readonly (string | Device)[],
  spec: SliceSpec = {},
): ResourceSlice => ({
  metadata: { name: `${nodeName}-slice` },
  spec: {
    driver: DRIVER,
    nodeName,
    pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
    devices: devices.map((each) => (typeof each === 'string' ? { name: each } : each)),
    ...spec,
  },
});

/** One or more devices of a class. */
export const request = (
  name: string,
  exactly: Partial<NonNullable<DeviceRequest['exactly']>> = {},
): DeviceRequest => ({
  name,
  exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1, ...exactly },
});

export const claim = (
  name: string,
  requests: readonly DeviceRequest[] = [request('r')],
  constraints: readonly DeviceConstraint[] = [],
): ResourceClaim => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '1' },
  spec: { devices: { requests: [...requests], constraints: [...constraints] } },
});

/** Devices as `request=device`, in order. */
export const given = (allocation: AllocationResult | undefined): string[] =>
  (allocation?.devices?.results ?? []).map((each) => `${each.request}=${each.device}`);
