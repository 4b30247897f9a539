import type { KindDescriptor, RequestKind } from '@orrery/api';
import { toApiVersion } from '@orrery/apimachinery';
import type { ResourceCatalog } from '../rest/resource-catalog.js';

export type Method = 'get' | 'put' | 'post' | 'delete' | 'patch';

export interface Parameter {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
}

/** One operation, before it is written in the form of OpenAPI v2 or v3. */
export interface Operation {
  readonly path: string;
  readonly method: Method;
  readonly id: string;
  readonly description: string;
  readonly action: string;
  readonly gvk: { readonly group: string; readonly kind: string; readonly version: string };
  /** Definition name of the body; PATCH bodies are of type Patch. */
  readonly body?: string;
  readonly answer: string;
  readonly parameters: readonly Parameter[];
  readonly pathParameters: readonly string[];
  /** Of a kind that a CustomResourceDefinition declares. */
  readonly isCustom: boolean;
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const CUSTOM_PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
];
const PATCH_TYPES = [...CUSTOM_PATCH_TYPES, 'application/strategic-merge-patch+json'];

/** What PATCH takes: kubectl sends a strategic patch only where it is named here. */
export const patchTypesOf = ({ isCustom }: Operation): readonly string[] =>
  isCustom ? CUSTOM_PATCH_TYPES : PATCH_TYPES;

const string = (name: string, description: string): Parameter => ({
  name,
  type: 'string',
  description,
});

const DRY_RUN = string(
  'dryRun',
  'When present, indicates that modifications should not be persisted. Valid values are: All.',
);
const MANAGER = string(
  'fieldManager',
  'fieldManager is a name associated with the actor or entity that is making these changes.',
);
const VALIDATION = string(
  'fieldValidation',
  'fieldValidation instructs the server on how to handle objects in the request containing unknown or duplicate fields: Ignore, Warn or Strict.',
);
const FORCE: Parameter = {
  name: 'force',
  type: 'boolean',
  description:
    'Force is going to "force" Apply requests: re-acquire conflicting fields owned by others.',
};
const WRITE = [DRY_RUN, MANAGER, VALIDATION];

const LIST: readonly Parameter[] = [
  {
    name: 'allowWatchBookmarks',
    type: 'boolean',
    description: 'Requests watch events with type "BOOKMARK".',
  },
  string(
    'continue',
    'The continue option should be set when retrieving more results from the server.',
  ),
  string('fieldSelector', 'A selector to restrict the list of returned objects by their fields.'),
  string('labelSelector', 'A selector to restrict the list of returned objects by their labels.'),
  {
    name: 'limit',
    type: 'integer',
    description: 'The maximum number of responses to return for a list call.',
  },
  string('resourceVersion', 'A constraint on what resource versions a request may be served from.'),
  string('resourceVersionMatch', 'How resourceVersion is applied to list calls.'),
  {
    name: 'sendInitialEvents',
    type: 'boolean',
    description: 'Begins a watch stream with synthetic events of the current state.',
  },
  { name: 'timeoutSeconds', type: 'integer', description: 'Timeout for the list/watch call.' },
  { name: 'watch', type: 'boolean', description: 'Watch for changes to the described resources.' },
];

const DELETE: readonly Parameter[] = [
  DRY_RUN,
  {
    name: 'gracePeriodSeconds',
    type: 'integer',
    description: 'The duration in seconds before the object should be deleted.',
  },
  { name: 'orphanDependents', type: 'boolean', description: 'Deprecated: use propagationPolicy.' },
  string('propagationPolicy', 'Whether and how garbage collection will be performed.'),
];

interface Target {
  readonly kind: KindDescriptor;
  readonly base: string;
  readonly suffix: string;
  readonly schema: string;
  readonly subresource: string;
}

const rootOf = (group: string, version: string): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

const idPart = (group: string, version: string): string =>
  `${group === '' ? 'Core' : group.split('.')[0]?.replace(/^./, (c) => c.toUpperCase())}${version.replace(/^./, (c) => c.toUpperCase())}`;

function operation(
  target: Target,
  part: Pick<Operation, 'method' | 'action' | 'answer' | 'parameters'> & {
    readonly body?: string;
    readonly named: boolean;
    readonly all?: boolean;
  },
): Operation {
  const { kind, base, suffix } = target;
  const { group, version } = kind;
  const namespaced = kind.scope === 'Namespaced' && !part.all;
  const path = [
    base,
    namespaced ? '/namespaces/{namespace}' : '',
    `/${kind.plural}`,
    part.named ? '/{name}' : '',
    suffix,
  ].join('');
  const verb = part.action === 'post' ? 'create' : part.action === 'put' ? 'replace' : part.action;
  return {
    ...part,
    path,
    id: `${verb}${idPart(group, version)}${namespaced ? 'Namespaced' : ''}${kind.kind}${target.subresource}${part.all ? 'ForAllNamespaces' : ''}`,
    description: `${verb} ${kind.kind}`,
    gvk: { group, kind: kind.kind, version },
    pathParameters: [...(namespaced ? ['namespace'] : []), ...(part.named ? ['name'] : [])],
    isCustom: kind.message === '',
  };
}

function objectOperations(target: Target, deletable: boolean): Operation[] {
  const { schema } = target;
  const named = true;
  const all: Operation[] = [
    operation(target, { method: 'get', action: 'get', answer: schema, parameters: [], named }),
    operation(target, {
      method: 'put',
      action: 'put',
      answer: schema,
      body: schema,
      parameters: WRITE,
      named,
    }),
    operation(target, {
      method: 'patch',
      action: 'patch',
      answer: schema,
      body: `${META}.Patch`,
      parameters: [...WRITE, FORCE],
      named,
    }),
  ];
  if (deletable) {
    all.push(
      operation(target, {
        method: 'delete',
        action: 'delete',
        answer: `${META}.Status`,
        body: `${META}.DeleteOptions`,
        parameters: DELETE,
        named,
      }),
    );
  }
  return all;
}

/** Operations on a stored kind and its generic subresources. */
export function operationsOf(kind: KindDescriptor): Operation[] {
  const { schema } = kind;
  const target = {
    kind,
    base: rootOf(kind.group, kind.version),
    suffix: '',
    schema,
    subresource: '',
  };
  const listSchema = `${schema}List`;
  const list = {
    method: 'get',
    action: 'list',
    answer: listSchema,
    parameters: LIST,
    named: false,
  } as const;
  const found = [
    operation(target, list),
    operation(target, {
      method: 'post',
      action: 'post',
      answer: schema,
      body: schema,
      parameters: WRITE,
      named: false,
    }),
    operation(target, {
      method: 'delete',
      action: 'deletecollection',
      answer: `${META}.Status`,
      body: `${META}.DeleteOptions`,
      parameters: [...LIST, ...DELETE],
      named: false,
    }),
    ...objectOperations(target, true),
  ];
  if (kind.scope === 'Namespaced') found.push(operation(target, { ...list, all: true }));
  if (kind.status)
    found.push(...objectOperations({ ...target, suffix: '/status', subresource: 'Status' }, false));
  if (kind.scale) {
    const scale = {
      ...target,
      suffix: '/scale',
      subresource: 'Scale',
      schema: 'io.k8s.api.autoscaling.v1.Scale',
    };
    found.push(...objectOperations(scale, false));
  }
  return found;
}

function requestOperation(request: RequestKind): Operation {
  const { group, version, kind, plural, schema, namespaced } = request;
  const middle = namespaced ? '/namespaces/{namespace}' : '';
  return {
    path: `${rootOf(group, version)}${middle}/${plural}`,
    method: 'post',
    id: `create${idPart(group, version)}${namespaced ? 'Namespaced' : ''}${kind}`,
    description: `create ${kind}`,
    action: 'post',
    gvk: { group, kind, version },
    body: schema,
    answer: schema,
    parameters: WRITE,
    pathParameters: namespaced ? ['namespace'] : [],
    isCustom: false,
  };
}

/** Every operation of a group version, in path order. */
export function operationsIn(
  catalog: ResourceCatalog,
  group: string,
  version: string,
): Operation[] {
  return [
    ...catalog.in(group, version).flatMap(({ kind }) => operationsOf(kind)),
    ...catalog.requestKinds
      .filter((request) => request.group === group && request.version === version)
      .filter(({ plural }) => plural !== '')
      .map(requestOperation),
  ].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** `apps/v1` of a kind, for tags and messages. */
export const groupVersionOf = ({ group, version }: KindDescriptor): string =>
  toApiVersion(group, version);

/** No list where it would be empty, as in upstream's documents: what reads and writes them again finds no difference. */
export const withParameters = (parameters: readonly object[]): Record<string, unknown> =>
  parameters.length > 0 ? { parameters } : {};
