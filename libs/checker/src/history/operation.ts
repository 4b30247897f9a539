import type { Labels, ObjectVersion } from './object-version.js';

export const VERBS = ['create', 'get', 'update', 'patch', 'delete', 'list'] as const;
export type Verb = (typeof VERBS)[number];

/** `fail` proves that nothing was written; `unknown` proves nothing. */
export const OUTCOMES = ['ok', 'fail', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface OperationArgs {
  /** What a create, update or patch writes; unique in the history except in writes meant to change nothing. */
  readonly value?: string;
  /** Labels written; a patch without them keeps those of the object. */
  readonly labels?: Labels;
  /** Writes: resourceVersion precondition. Reads: resourceVersion asked for (absent = consistent, 0 = any). */
  readonly rv?: number;
  /** Precondition of update, patch and delete. */
  readonly uid?: string;
  /** Reads with `rv` above 0; default NotOlderThan, or Exact for a list with a limit. */
  readonly match?: 'NotOlderThan' | 'Exact';
  readonly selector?: Labels;
  readonly limit?: number;
  /** Which page of which paged list this is; pages of one list share `list`. */
  readonly page?: { readonly list: string; readonly index: number };
}

export interface OperationBody {
  /** The object answered: of a write the new version, of a delete the last one. */
  readonly object?: ObjectVersion;
  /** Items of a list or of one page, in key order. */
  readonly items?: readonly ObjectVersion[];
  /** A page that is not the last. */
  readonly more?: boolean;
}

/** One call of one client: a line of a history. */
export interface Operation {
  readonly client: string;
  readonly id: number;
  readonly f: Verb;
  /** Key of the object; of a list, its scope (`pods` or `pods/ns1`). */
  readonly key: string;
  readonly args: OperationArgs;
  /** Nanoseconds of the recorder's monotonic clock. */
  readonly call: number;
  /** Null when the answer never came: the operation may take effect at any time after `call`. */
  readonly ret: number | null;
  readonly outcome: Outcome;
  /** Of a failure: the Status reason (NotFound, AlreadyExists, Conflict, Expired, …). */
  readonly reason?: string;
  /** Of an object: metadata.resourceVersion; of a list: ListMeta.resourceVersion; of a delete: the deletion's, where answered. */
  readonly rv?: number;
  readonly body?: OperationBody;
  /** Set where the event log proved that an unknown write took effect. */
  readonly resolved?: true;
}

export type WriteVerb = 'create' | 'update' | 'patch' | 'delete';

/** True for verbs that may change the store. */
export function isWrite(f: Verb): f is WriteVerb {
  return f !== 'get' && f !== 'list';
}

/** When the operation ended; Infinity when nobody knows. */
export function endOf(operation: Operation): number {
  return operation.ret ?? Infinity;
}

export type Freshness =
  | { readonly kind: 'consistent' }
  | { readonly kind: 'any' }
  | { readonly kind: 'notOlderThan'; readonly rv: number }
  | { readonly kind: 'exact'; readonly rv: number };

/** What a read asked for (k8s apiserver/pkg/storage/testing/correctness: consistency.go). */
export function freshnessOf({ f, args }: Operation): Freshness {
  if (args.rv === undefined) return { kind: 'consistent' };
  if (args.rv === 0) return { kind: 'any' };
  const exact =
    args.match === 'Exact' ||
    (f === 'list' && args.match === undefined && args.limit !== undefined && args.limit > 0);
  return { kind: exact ? 'exact' : 'notOlderThan', rv: args.rv };
}

/** `c3#17 update pods/ns1/a`: how reports name an operation. */
export function describeOperation(operation: Operation): string {
  return `${operation.client}#${operation.id} ${operation.f} ${operation.key}`;
}
