import { isFlagSet, isPathSegmentName } from '@orrery/apimachinery';

/** A selector as a SubjectAccessReview writes it: a query's text, or terms. */
export interface SelectorAttributes {
  readonly rawSelector?: string;
  readonly requirements?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** What a request for a collection is bound to; authorizers may allow a part of what they would not allow whole. */
export interface RequestSelectors {
  readonly field?: SelectorAttributes;
  readonly label?: SelectorAttributes;
}

/** What a request asks for, as upstream's RequestInfo (k8s apiserver pkg/endpoints/request/requestinfo.go). */
export interface RequestInfo {
  readonly isResource: boolean;
  readonly path: string;
  /** get, list, watch, create, update, patch, delete, deletecollection, proxy, '' for other methods; the lower-case method for other paths. */
  readonly verb: string;
  readonly apiPrefix: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Segments behind /api/v1 or /apis/g/v, without namespaces/x: [resource, name, subresource, ...]. */
  readonly parts: readonly string[];
  /** Absent where there are none, and for `/watch/` paths. */
  readonly selectors?: RequestSelectors;
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Subresources of a namespace: everything else behind /namespaces/x/ is a resource in it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const nonResource = (method: string, path: string): RequestInfo => ({
  isResource: false,
  path,
  verb: method.toLowerCase(),
  apiPrefix: '',
  group: '',
  version: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  parts: [],
});

/** `verb` once the whole path is known: collections are listed or watched, and deleted as collections. */
function verbOf(verb: string, name: string, query: URLSearchParams): string {
  if (verb === 'get' && name === '') return isFlagSet(query.get('watch')) ? 'watch' : 'list';
  if (verb === 'delete' && name === '') return 'deletecollection';
  return verb;
}

/** The name that `fieldSelector=metadata.name=x` pins a collection request to; '' when there is none. */
function pinnedName(query: URLSearchParams): string {
  const name =
    /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '')?.[1] ?? '';
  return isPathSegmentName(name).length === 0 ? name : '';
}

const SELECTING = new Set(['list', 'watch', 'deletecollection']);

/** Upstream reads the parameters as they are, whatever else of the query makes no sense. */
function selectorsOf(query: URLSearchParams): RequestSelectors | undefined {
  const field = query.get('fieldSelector') ?? '';
  const label = query.get('labelSelector') ?? '';
  if (field === '' && label === '') return undefined;
  return {
    ...(field === '' ? {} : { field: { rawSelector: field } }),
    ...(label === '' ? {} : { label: { rawSelector: label } }),
  };
}

/** The legacy prefixes `/watch/` and `/proxy/` name the verb. */
function splitPrefix(verb: string, rest: readonly string[]): [string, readonly string[]] {
  const [first = ''] = rest;
  const isPrefix = (first === 'watch' || first === 'proxy') && rest.length > 1;
  return isPrefix ? [first, rest.slice(1)] : [verb, rest];
}

function splitNamespace(rest: readonly string[]): [string, readonly string[]] {
  const [first = '', namespace = '', third = ''] = rest;
  if (first !== 'namespaces' || rest.length < 2) return ['', rest];
  const isInside = rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(third);
  return [namespace, isInside ? rest.slice(2) : rest];
}

/** How many segments stand before the resource: /api/v1, /apis/g/v; 0 = no resource path. */
function headOf(segments: readonly string[]): number {
  const head = segments[0] === 'api' ? 2 : segments[0] === 'apis' ? 3 : 0;
  return segments.length > head ? head : 0;
}

/** Only what may have a resource is cut up: a path may be a megabyte of slashes. An escaped root is decoded first. */
const RESOURCE_ROOT = /^\/+(?:apis?\/|[^/]*%)/;

const segmentsOf = (path: string): string[] =>
  RESOURCE_ROOT.test(path)
    ? path.split('/').flatMap((part) => (part.includes('%') ? decode(part) : part) || [])
    : [];

/** Deletes of collections have no name, whatever they select. */
const PINNED_VERBS = new Set(['list', 'watch']);

/** Reads a request line. The legacy `/watch/` prefix is understood as verb watch. */
export function parseRequestInfo(
  method: string,
  path: string,
  query: URLSearchParams,
): RequestInfo {
  const segments = segmentsOf(path);
  const head = headOf(segments);
  if (head === 0) return nonResource(method, path);
  const [verb, rest] = splitPrefix(VERBS[method] ?? '', segments.slice(head));
  const [namespace, parts] = splitNamespace(rest);
  const [resource = '', name = '', subresource = ''] = parts;
  const asked = verbOf(verb, name, query);
  // What the path makes a watch has none.
  const selectors = SELECTING.has(asked) && verb !== asked ? selectorsOf(query) : undefined;
  return {
    isResource: true,
    path,
    verb: asked,
    apiPrefix: segments[0] ?? '',
    group: head === 2 ? '' : (segments[1] ?? ''),
    version: segments[head - 1] ?? '',
    namespace,
    resource,
    subresource,
    name: name || (PINNED_VERBS.has(asked) ? pinnedName(query) : ''),
    parts,
    ...(selectors ? { selectors } : {}),
  };
}
