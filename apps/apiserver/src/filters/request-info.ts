import { isFlagSet } from '@orrery/apimachinery';

/** What a request asks for, as upstream's RequestInfo (k8s apiserver pkg/endpoints/request/requestinfo.go). */
export interface RequestInfo {
  readonly isResource: boolean;
  readonly path: string;
  /** get, list, watch, create, update, patch, delete, deletecollection, proxy; the lower-case method for other paths. */
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
  return (
    /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '')?.[1] ?? ''
  );
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

const COLLECTION_VERBS = new Set(['list', 'watch', 'deletecollection']);

/** Reads a request line. The legacy `/watch/` prefix is understood as verb watch. */
export function parseRequestInfo(
  method: string,
  path: string,
  query: URLSearchParams,
): RequestInfo {
  const segments = path
    .split('/')
    .filter((s) => s !== '')
    .map(decode);
  const head = headOf(segments);
  if (head === 0) return nonResource(method, path);
  const [verb, rest] = splitPrefix(VERBS[method] ?? method.toLowerCase(), segments.slice(head));
  const [namespace, parts] = splitNamespace(rest);
  const [resource = '', name = '', subresource = ''] = parts;
  const asked = verbOf(verb, name, query);
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
    name: name === '' && COLLECTION_VERBS.has(asked) ? pinnedName(query) : name,
    parts,
  };
}
