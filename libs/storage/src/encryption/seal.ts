import type { IKeyValue } from 'etcd3';

/** How a value was found to be stored. Values of one key share it. */
export interface Seal {
  /** Whether a write of now would store it in the same way. */
  readonly isCurrent: boolean;
  /** Why it cannot be read. */
  readonly problem?: string;
}

export interface SealedKeyValue extends IKeyValue {
  seal?: Seal;
}

/** How a key and value that came from etcd was stored; undefined where nothing is encrypted. */
export const sealOf = (kv: IKeyValue): Seal | undefined => (kv as SealedKeyValue).seal;
