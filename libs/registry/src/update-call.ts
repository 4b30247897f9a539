import type { KubeObject } from '@orrery/apimachinery';
import type { Strategy } from '@orrery/api';
import type { TrackFields } from './create.js';
import type { Representation } from './representation.js';
import type { RequestContext } from './request-context.js';

export interface UpdateCall {
  readonly context: RequestContext;
  readonly namespace?: string;
  readonly name: string;
  readonly dryRun?: boolean;
  readonly options?: unknown;
  /** 'status' and others take another strategy; '' is the object itself. */
  readonly subresource?: string;
  readonly strategy?: Strategy;
  /** Creates the object when there is none: PUT of kinds that allow it, and apply. */
  readonly createWhenAbsent?: boolean;
  /** Retries when the object changes meanwhile and the new object names no resourceVersion. Default true. */
  readonly retryOnConflict?: boolean;
  readonly track?: TrackFields;
  /** As in CreateCall. */
  readonly pause?: () => Promise<void>;
  /** The caller has asked the admission chain itself, about another object (Scale, Binding …). */
  readonly admitted?: boolean;
  /** What it changes is not what users declare: a node that a scheduler has chosen. */
  readonly keepsGeneration?: boolean;
}

/** A patch names what it changes, no object that it means (k8s apiserver pkg/endpoints/handlers/patch.go). */
export const isPatch = ({ options }: { readonly options?: unknown }): boolean =>
  (options as { readonly kind?: unknown } | undefined)?.kind === 'PatchOptions';

/**
 * Makes the new object from the stored one (undefined = there is none). Must not change `current`, and must answer
 * an object that shares nothing with it. Called again after a conflict.
 */
export type Transform = (current: KubeObject | undefined) => Promise<KubeObject> | KubeObject;

export interface UpdateResult {
  readonly representation: Representation;
  readonly created: boolean;
  /** The update took away the last finalizer of an object in deletion, so that it is gone. */
  readonly deleted: boolean;
}

/** What one attempt came to. */
export interface Attempt extends UpdateResult {
  /** The update changes nothing, so that nothing was written. */
  readonly unwritten?: boolean;
}
