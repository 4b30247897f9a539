/** Names a device in the cluster; the pool's name may have slashes, the others' have none. */
export interface DevicePlace {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
}

/** As upstream prints it (k8s structured/schedulerapi: DeviceID.String). */
export const deviceId = ({ driver, pool, device }: DevicePlace): string =>
  `${driver}/${pool}/${device}`;
