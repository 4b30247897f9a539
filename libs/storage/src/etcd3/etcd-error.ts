import { StorageError } from '../storage-error.js';
import type { StorageErrorCode } from '../storage-error.js';

/** What was asked of etcd, so that its error can be judged. */
export interface Operation {
  /** 'read' may be repeated freely; the outcome of a failed 'write' can be unknown. */
  readonly kind: 'read' | 'write';
  readonly what: string;
  readonly key?: string;
  /** May be answered by a member that sees no leader: a read that need not be fresh, maintenance. */
  readonly anyMember?: boolean;
  /** Instead of the client's own limit. */
  readonly timeoutMs?: number;
}

interface Rule {
  readonly match: RegExp;
  readonly code: StorageErrorCode;
  /** What to say instead of etcd's own text. */
  readonly say?: string;
}

/** Texts of etcd 3.4-3.6 api/v3rpc/rpctypes/error.go and of grpc-js. First match wins. */
const RULES: readonly Rule[] = [
  { match: /required revision has been compacted/, code: 'compacted' },
  { match: /required revision is a future revision/, code: 'futureRevision' },
  {
    match: /database space exceeded/,
    code: 'noSpace',
    say: "etcd's quota is used up (alarm NOSPACE), it takes no writes but deletions; make room with `orrery etcd compact` and `orrery etcd defrag`, then `orrery etcd alarms disarm`",
  },
  { match: /request is too large|trying to send message larger than max/, code: 'tooLarge' },
  {
    match: /No connection established|Channel closed before call started|Name resolution failed/,
    code: 'unavailable',
    say: 'no etcd member could be reached',
  },
  {
    match: /authentication failed|user name is empty|permission denied/,
    code: 'internal',
    say: 'etcd refuses this user: check the name, the password, and that its role may read every key and write ours',
  },
  {
    match: /etcdserver: corrupt cluster/,
    code: 'corrupt',
    say: "etcd's members hold different data (alarm CORRUPT): replace the member that is wrong, then `orrery etcd alarms disarm`",
  },
  {
    match: /etcdserver: no leader/,
    code: 'unavailable',
    say: 'etcd has no leader: most of its members are down or cannot reach each other',
  },
  {
    match: /not capable|too many requests|unhealthy cluster|not started/,
    code: 'unavailable',
  },
];

/** Codes in which a call ended without a word from etcd, or with one that leaves the proposal in flight. */
const CUT_OFF = /^(?:1 CANCELLED|2 UNKNOWN|10 ABORTED|13 INTERNAL|14 UNAVAILABLE)/;
const TIMED_OUT = /DEADLINE_EXCEEDED|request timed out/;
/** gRPC's code and text, behind the class name that etcd3 may put before them. */
const STATUS = /(\d+ [A-Z_]+: [\s\S]*)$/;

/** Turns whatever etcd3 threw into the one error of the storage boundary. */
export function toStorageError(error: unknown, operation: Operation): StorageError {
  if (error instanceof StorageError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const text = STATUS.exec(message)?.[1] ?? message;
  const rule = RULES.find(({ match }) => match.test(text));
  if (rule) return storageError(rule.code, rule.say ?? text, operation, error);
  const isWrite = operation.kind === 'write';
  if (TIMED_OUT.test(text)) {
    const say = isWrite
      ? 'etcd did not answer in time; the outcome is unknown'
      : 'etcd did not answer in time';
    return storageError('timeout', say, operation, error);
  }
  if (CUT_OFF.test(text)) {
    return isWrite
      ? storageError(
          'unknownOutcome',
          `cut off; the outcome is unknown (${text})`,
          operation,
          error,
        )
      : storageError('unavailable', text, operation, error);
  }
  return storageError('internal', text, operation, error);
}

function storageError(
  code: StorageErrorCode,
  say: string,
  { kind, what, key }: Operation,
  cause: unknown,
): StorageError {
  const subject = key === undefined ? what : `${what} ${key}`;
  return new StorageError(code, `${subject}: ${say}`, {
    ...(key === undefined ? {} : { key }),
    ...(code === 'timeout' && kind === 'read' ? { wroteNothing: true } : {}),
    cause,
  });
}
