import type { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';

type KindOf<R> = R extends ResourceRef<infer T> ? T : never;

export type PodDisruptionBudget = KindOf<typeof resources.poddisruptionbudgets>;
export type StorageClass = KindOf<typeof resources.storageclasses>;
export type CSIDriver = KindOf<typeof resources.csidrivers>;
export type CSIStorageCapacity = KindOf<typeof resources.csistoragecapacities>;
export type CSINode = KindOf<typeof resources.csinodes>;
