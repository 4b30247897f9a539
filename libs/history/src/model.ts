import type { KubeObject } from '@orrery/apimachinery';

/** An object by its address in the API. */
export interface ObjectName {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural, as in paths; '' when the key belongs to no kind that is served. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name: string;
}

/** Who wrote, as the API server recorded it. */
export interface Actor {
  readonly user: string;
  readonly agent?: string;
  /** The field manager. */
  readonly manager?: string;
  /** Which part of the program decided, as it says. */
  readonly controller?: string;
}

/** One difference. No `from` = added, no `to` = removed. */
export interface Change {
  /** `spec.template.spec.containers[nginx].image` */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** A container that a kubelet reported as started. */
export interface StartedContainer {
  readonly name: string;
  readonly image: string;
  readonly startedAt: string;
}

/** One write of one object, for people to read. */
export interface Write {
  readonly revision: number;
  /** RFC 3339 with milliseconds; absent = not recorded. */
  readonly time?: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ObjectName;
  /** Absent = nothing was recorded with this write. */
  readonly actor?: Actor;
  readonly verb?: string;
  readonly subresource?: string;
  /** The request's id in the audit log. */
  readonly request?: string;
  /** The revision that the writer said it reacted to. */
  readonly reactedTo?: number;
  /** Why, in the writer's words. */
  readonly reason?: string;
  /** In a few words. */
  readonly summary: string;
  readonly changes: readonly Change[];
  /** Changes beyond those listed. */
  readonly moreChanges?: number;
  readonly started?: readonly StartedContainer[];
  /** Who wrote it and what was before are compacted away. */
  readonly isCompacted?: true;
}

/** A write with the states around it. */
export interface LoggedWrite extends Write {
  readonly before?: KubeObject;
  readonly after?: KubeObject;
  /** Up to which revision the writer had been sent events, by type ({@link typeKey}); absent = not known. */
  readonly sent?: Readonly<Record<string, number>>;
}

/** Why a write was made. */
export interface Because {
  readonly revision: number;
  /** told = by the writer itself; inferred = from what it must have been sent. */
  readonly how: 'told' | 'inferred';
  /** By which rule it was inferred. */
  readonly rule?: string;
  /** What let it happen at last, where something else had asked for it. */
  readonly trigger?: { readonly object: ObjectName; readonly revision: number };
}

export interface ChainLink extends Write {
  /** Absent on the first link. */
  readonly because?: Because;
}

/**
 * Where a chain begins: a request of a user or a tool, a component's own accord (a timer, its start), a write that
 * nothing was recorded with, a revision that is compacted away, or a chain too long to follow.
 */
export type ChainRoot = 'request' | 'own-accord' | 'unrecorded' | 'compacted' | 'limit';

/** The causal chain of one state. */
export interface Explanation {
  readonly object: ObjectName;
  /** The revision of the state that is explained. */
  readonly revision: number;
  readonly root: ChainRoot;
  /** For a compacted chain: the oldest revision left. */
  readonly oldest?: number;
  /** From the first cause to the state. */
  readonly chain: readonly ChainLink[];
  /** Other writes that the first cause led to meanwhile. */
  readonly related?: readonly ChainLink[];
}

/** History that was asked for has been compacted away. */
export class HistoryGone extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HistoryGone';
  }
}
