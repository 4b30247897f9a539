import type { FieldError, KubeObject } from '@orrery/apimachinery';
import { cloneJson } from '@orrery/apimachinery';
import type { KindContext, Strategy } from '../kind.js';
import { list } from './list.js';
import type { NameRule } from './names.js';
import { dnsSubdomain } from './names.js';
import { validateMeta, validateMetaUpdate } from './object-meta.js';

interface WithStatus extends KubeObject {
  spec?: unknown;
  status?: unknown;
}

/** What a kind adds to the rules that all kinds share. */
export interface KindRules<T extends KubeObject> extends Omit<
  Strategy<T>,
  'validate' | 'validateUpdate'
> {
  /** Rule for metadata.name. Default: a DNS subdomain. */
  readonly name?: NameRule;
  readonly namespaced: boolean;
  /** True when status is written through /status alone. */
  readonly ownsStatus?: boolean;
  /** Findings beyond metadata, for both create and update. */
  readonly check?: (object: T, context: KindContext) => readonly FieldError[];
  /** Findings beyond `check` for new objects alone. */
  readonly checkCreate?: (object: T, context: KindContext) => readonly FieldError[];
  /** What a client is told of an object that is accepted; `old` is absent on create. */
  readonly warnings?: (object: T, old?: T) => readonly string[];
  /** Findings that need the stored object, besides `check`. */
  readonly checkUpdate?: (object: T, old: T, context: KindContext) => readonly FieldError[];
  /** Status for a new object. Default: none. */
  readonly initialStatus?: (object: T) => unknown;
}

const assignStatus = (object: WithStatus, status: unknown): void => {
  if (status === undefined) delete object.status;
  else object.status = status;
};

/** The strategy of a main resource: metadata rules, status reset and kept, and the kind's own findings. */
export function strategyOf<T extends KubeObject>(rules: KindRules<T>): Strategy<T> {
  const {
    name = dnsSubdomain,
    namespaced,
    ownsStatus,
    check,
    checkCreate,
    checkUpdate,
    warnings,
    initialStatus,
    ...rest
  } = rules;
  const warn = (object: T, old: T | undefined, context: KindContext): void => {
    for (const text of list(warnings?.(object, old))) context.warn(text);
  };
  return {
    ...rest,
    prepareForCreate(object, context) {
      if (ownsStatus) assignStatus(object, initialStatus?.(object));
      rules.prepareForCreate?.(object, context);
    },
    prepareForUpdate(object, old, context) {
      if (ownsStatus) assignStatus(object, (old as WithStatus).status);
      rules.prepareForUpdate?.(object, old, context);
    },
    validate(object, context) {
      const findings = [
        ...validateMeta(object, namespaced, name),
        ...list(check?.(object, context)),
        ...list(checkCreate?.(object, context)),
      ];
      if (findings.length === 0) warn(object, undefined, context);
      return findings;
    },
    validateUpdate(object, old, context) {
      const findings = [
        ...validateMetaUpdate(object, old),
        ...list(check?.(object, context)),
        ...list(checkUpdate?.(object, old, context)),
      ];
      if (findings.length === 0) warn(object, old, context);
      return findings;
    },
  };
}

const KEPT = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;

/** A status that is written brings no metadata with it but managedFields (k8s apimachinery pkg/apis/meta/v1/helpers.go:ResetObjectMetaForStatus). */
export function keepMetadata(
  { metadata }: KubeObject,
  old: KubeObject,
  fields: readonly (typeof KEPT)[number][] = KEPT,
): void {
  for (const field of fields) {
    const value = cloneJson(old.metadata[field]);
    if (value === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: value });
  }
}

/** The strategy of `/status`: spec stays, and metadata may change as upstream allows. */
export function statusStrategyOf<T extends KubeObject>(
  validateStatus?: (object: T, old: T, context: KindContext) => readonly FieldError[],
  prepare?: (object: T, old: T) => void,
): Strategy<T> {
  return {
    prepareForUpdate(object, old) {
      const stored = old as WithStatus;
      if (stored.spec === undefined) delete (object as WithStatus).spec;
      else (object as WithStatus).spec = cloneJson(stored.spec);
      prepare?.(object, old);
    },
    validateUpdate: (object, old, context) => [
      ...validateMetaUpdate(object, old),
      ...list(validateStatus?.(object, old, context)),
    ],
  };
}
