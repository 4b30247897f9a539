/**
 * The object store on etcd: one transaction per write, linearizable reads, watches that lose nothing.
 * Two implementations of Storage pass one contract suite: plain etcd, and the cache fed by one watch over the keyspace.
 * What a component asks in its work (ranges, transactions, compactions, leases, watches) is gRPC over node:http2 (wire/), which costs less
 * a call and at the start; logging in, members, maintenance and snapshots go through etcd3, loaded when it is first asked for.
 */
export type {
  Entry,
  Freshness,
  ListOptions,
  ListResult,
  ReadOptions,
  Storage,
  StorageEvent,
  WatchItem,
  WatchOptions,
  WatchStream,
  WriteCause,
  WriteOptions,
} from './storage.js';
export type { StorageErrorCode, StorageErrorDetail } from './storage-error.js';
export { StorageError, isOutcomeUnknown, isStorageError } from './storage-error.js';
export { aesCbc, aesGcm, secretbox } from './encryption/ciphers.js';
export type { ValueCipher } from './encryption/ciphers.js';
export type { EncryptionOptions, EncryptionRule, Transformed } from './encryption/encryption.js';
export { Encryption } from './encryption/encryption.js';
export type { ValueKey, ValueProvider } from './encryption/resource-values.js';
export type { EtcdClientOptions } from './etcd3/etcd-client.js';
export { EtcdClient } from './etcd3/etcd-client.js';
export type { EtcdStorageOptions } from './etcd3/etcd-storage.js';
export { EtcdStorage } from './etcd3/etcd-storage.js';
export type { Cause, CauseRecord } from './cause/cause-record.js';
export { CAUSE_KEY, decodeCause, encodeCause } from './cause/cause-record.js';
export { CauseReader } from './cause/cause-reader.js';
export type {
  KeyChange,
  KeyState,
  LogBatch,
  RevisionRecord,
  RevisionSpan,
} from './cause/write-log.js';
export { WriteLog } from './cause/write-log.js';
export type { FeedFollower } from './watch-cache/cache-feeder.js';
export type { CachedStorageOptions } from './watch-cache/cached-storage.js';
export { CachedStorage } from './watch-cache/cached-storage.js';
export type { BeginEpochOptions } from './managed/begin-epoch.js';
export { beginEpoch } from './managed/begin-epoch.js';
export type { RestoreOptions, RestoreTool } from './managed/restore-snapshot.js';
export { findRestoreTool, restoreSnapshot } from './managed/restore-snapshot.js';
export { EPOCH_KEY } from './watch-cache/epoch.js';
export type { AdminMember, Alarm, MemberStatus } from './managed/etcd-admin.js';
export { EtcdAdmin } from './managed/etcd-admin.js';
export type { ManagedEtcdErrorCode } from './managed/managed-etcd-error.js';
export { ManagedEtcdError } from './managed/managed-etcd-error.js';
export type { MemberCommand, MemberOptions } from './managed/member-command.js';
export { memberCommand } from './managed/member-command.js';
export type {
  ManagedEtcd,
  ManagedEtcdOptions,
  ManagedMember,
  MemberAddress,
} from './managed/start-managed-etcd.js';
export {
  isHealthy,
  memberOptions,
  startManagedEtcd,
  startMember,
} from './managed/start-managed-etcd.js';
export { explainExit } from './managed/explain-exit.js';
export type { FindEtcdOptions, FoundEtcd } from './managed/find-etcd.js';
export { etcdVersion, findEtcd } from './managed/find-etcd.js';
export { requireFreeAddresses } from './managed/free-addresses.js';
export { History } from './history/history.js';
export { FLOOR_KEY, readFloor } from './history/floor.js';
export type { Floor } from './history/floor.js';
export { PastStorage } from './history/past-storage.js';
export type { Pin, PinRecord } from './history/pins.js';
export { PIN_PREFIX, Pins } from './history/pins.js';
export type { ReplayOptions } from './history/replay.js';
export type { RetentionNotice, RetentionOptions, Space } from './history/retention.js';
export { Retention, largestInUse } from './history/retention.js';
export type { HistoryRange, TimedRevision } from './history/revision-times.js';
export type { StoredObject } from './keyspace/stored-objects.js';
export { fillKeyspace, readKeyspace } from './keyspace/stored-objects.js';
export type { Fork, ForkRecord } from './fork/fork-record.js';
export { FORK_KEYS, forkRecordKey, overlayKey } from './fork/fork-record.js';
export type { ForkChange, ForksOptions, NewFork } from './fork/forks.js';
export { Forks } from './fork/forks.js';
export { ForkStorage } from './fork/fork-storage.js';
export type { OpenFork } from './fork/open-fork.js';
