import type { KubeObject } from '@orrery/apimachinery';
import type { RequestKind } from '../kind.js';
import { requestKinds } from '../request-kinds.js';
import type { Json } from './json.js';
import { changedFields, renamed, reversed } from './json.js';
import type { HubConversion, Lifecycle } from './removed-kind.js';
import { deprecationText } from './removed-kind.js';

/** A request kind in a version that upstream has removed, answered by the current one. */
export interface RemovedRequestKind extends RequestKind {
  readonly hub: RequestKind;
  readonly deprecation: string;
  readonly toHub: (object: KubeObject) => KubeObject;
  readonly fromHub: (hub: KubeObject) => KubeObject;
}

function removedRequest(
  group: string,
  kind: string,
  lifecycle: Lifecycle,
  conversion?: HubConversion,
): RemovedRequestKind {
  const hub = requestKinds.find((one) => one.group === group && one.kind === kind);
  if (!hub) throw new Error(`no request kind ${group}/${kind}`);
  const version = 'v1beta1';
  const inVersion = (name: string): string => name.replace('.v1.', `.${version}.`);
  const { toHub = (one: Json) => one, fromHub = (one: Json) => one } = conversion ?? {};
  const typed = (object: Json, of: string): KubeObject =>
    ({ ...object, kind, apiVersion: `${group}/${of}` }) as unknown as KubeObject;
  return {
    ...hub,
    version,
    schema: inVersion(hub.schema),
    message: inVersion(hub.message),
    hub,
    deprecation: deprecationText(hub, group, version, lifecycle),
    toHub: (object) => typed(toHub(object as unknown as Json), hub.version),
    fromHub: (object) => typed(fromHub(object as unknown as Json), version),
  };
}

const GROUPS = { group: 'groups' };
const withGroups = (object: Json, names: Readonly<Record<string, string>>): Json =>
  changedFields(object, 'spec', (spec) => renamed(spec, names));

/** The groups of a subject are called `group` in v1beta1. */
const subjectGroups: HubConversion = {
  toHub: (object) => withGroups(object, GROUPS),
  fromHub: (hub) => withGroups(hub, reversed(GROUPS)),
};

const AUTHENTICATION = 'authentication.k8s.io';
const AUTHORIZATION = 'authorization.k8s.io';
const IN_1_22 = { deprecated: '1.19', removed: '1.22' };

/** Kinds that are answered, not stored, in the versions that upstream has removed. */
export const removedRequestKinds: readonly RemovedRequestKind[] = [
  removedRequest(AUTHENTICATION, 'TokenReview', IN_1_22),
  removedRequest(AUTHENTICATION, 'SelfSubjectReview', {
    deprecated: '1.30',
    removed: '1.33',
    replacement: false,
  }),
  removedRequest(AUTHORIZATION, 'SubjectAccessReview', IN_1_22, subjectGroups),
  removedRequest(AUTHORIZATION, 'LocalSubjectAccessReview', IN_1_22, subjectGroups),
  removedRequest(AUTHORIZATION, 'SelfSubjectAccessReview', IN_1_22),
  removedRequest(AUTHORIZATION, 'SelfSubjectRulesReview', IN_1_22),
];

/** The body of pods/eviction before policy/v1, which upstream takes to this day (k8s pkg/registry/core/pod/storage/eviction.go:AcceptsGroupVersion). */
export const evictionV1beta1 = removedRequest('policy', 'Eviction', {
  deprecated: '1.22',
  removed: '1.25',
  replacement: false,
});
