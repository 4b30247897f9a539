import type { Environment } from '../check/environment.js';
import { patchFunctions, standardFunctions } from '../functions/standard.js';
import type { CelType, ObjectField, ObjectType } from '../types/type.js';
import { celTypes, listOf, mapOf, opaque } from '../types/type.js';
import { LIBRARY_TYPES } from '../types/signature.js';

const object = (name: string, fields: Readonly<Record<string, CelType>>): ObjectType => ({
  kind: 'object',
  name,
  fields: new Map(
    Object.entries(fields).map(([key, type]) => [key, { type, jsonName: key, required: false }]),
  ),
});

const { string, bool, int, dyn, timestamp } = celTypes;
const strings = listOf(string);
const stringMap = mapOf(string, string);
const gvk = object('kubernetes.GroupVersionKind', { group: string, version: string, kind: string });
const gvr = object('kubernetes.GroupVersionResource', {
  group: string,
  version: string,
  resource: string,
});

/** The variable `request` (k8s apiserver pkg/admission/plugin/cel/compile.go:BuildRequestType). */
export const admissionRequestType = object('kubernetes.AdmissionRequest', {
  kind: gvk,
  resource: gvr,
  subResource: string,
  requestKind: gvk,
  requestResource: gvr,
  requestSubResource: string,
  name: string,
  namespace: string,
  operation: string,
  userInfo: object('kubernetes.UserInfo', {
    username: string,
    uid: string,
    groups: strings,
    extra: mapOf(string, strings),
  }),
  dryRun: bool,
  options: dyn,
});

/** The variable `namespaceObject` (same file:BuildNamespaceType). */
export const namespaceType = object('kubernetes.Namespace', {
  metadata: object('kubernetes.NamespaceMetadata', {
    name: string,
    generateName: string,
    namespace: string,
    labels: stringMap,
    annotations: stringMap,
    UID: string,
    creationTimestamp: timestamp,
    deletionGracePeriodSeconds: int,
    deletionTimestamp: timestamp,
    generation: int,
    resourceVersion: string,
    finalizers: strings,
  }),
  spec: object('kubernetes.NamespaceSpec', { finalizers: strings }),
  status: object('kubernetes.NamespaceStatus', {
    conditions: listOf(
      object('kubernetes.NamespaceCondition', {
        status: string,
        type: string,
        lastTransitionTime: timestamp,
        message: string,
        reason: string,
      }),
    ),
    phase: string,
  }),
});

/** Has a field of every name, so that `Object.spec{…}` may be written without the kind's schema. */
class AnyFields extends Map<string, ObjectField> {
  override get(name: string): ObjectField {
    return { type: dyn, jsonName: name, required: false };
  }
}

const jsonPatch = object('JSONPatch', { op: string, path: string, from: string, value: dyn });

/** The types that mutations may make: `Object`, `Object.spec` …, and `JSONPatch`. */
class PatchTypes extends Map<string, ObjectType> {
  override get(name: string): ObjectType | undefined {
    if (name === 'JSONPatch') return jsonPatch;
    if (!/^Object(?:\.\w+)*$/.test(name)) return undefined;
    const known = super.get(name);
    if (known) return known;
    const made: ObjectType = { kind: 'object', name, fields: new AnyFields() };
    this.set(name, made);
    return made;
  }
}

export interface PolicyScope {
  readonly params?: boolean;
  readonly authorizer?: boolean;
  /** Expressions make objects or JSON patches. */
  readonly patches?: boolean;
  /** Type of `variables`: the policy's own ones, those that come before. */
  readonly variables?: ObjectType;
  /** Type of `object` and `oldObject` where the kind is known: for type checking. */
  readonly object?: CelType;
}

/** What the expressions of admission policies and match conditions may name. */
export function policyEnvironment(scope: PolicyScope): Environment {
  const variables = new Map<string, CelType>([
    ['object', scope.object ?? dyn],
    ['oldObject', scope.object ?? dyn],
    ['request', admissionRequestType],
    ['namespaceObject', namespaceType],
  ]);
  if (scope.params) variables.set('params', dyn);
  if (scope.authorizer) {
    variables.set('authorizer', opaque(LIBRARY_TYPES['Authorizer'] ?? ''));
    variables.set('authorizer.requestResource', opaque(LIBRARY_TYPES['ResourceCheck'] ?? ''));
  }
  if (scope.variables) variables.set('variables', scope.variables);
  return {
    variables,
    functions: scope.patches ? patchFunctions : standardFunctions,
    ...(scope.patches ? { structs: new PatchTypes() } : {}),
  };
}
