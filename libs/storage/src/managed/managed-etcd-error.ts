export type ManagedEtcdErrorCode =
  /** No etcd could be found or installed. */
  | 'notFound'
  /** The etcd found is of a version that is not supported. */
  | 'version'
  /** The release could not be downloaded, or is not what its checksum says. */
  | 'download'
  | 'portInUse'
  | 'addressUnavailable'
  | 'diskFull'
  | 'corruptData'
  | 'dataInUse'
  | 'permission'
  /** It ended, or did not serve in time, for another reason. */
  | 'exited';

/** Why a managed etcd is not there; the message says what to do. */
export class ManagedEtcdError extends Error {
  constructor(
    readonly code: ManagedEtcdErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ManagedEtcdError';
  }
}
