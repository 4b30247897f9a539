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
  const watch = query.get('watch');
  const isWatch = watch !== null && watch !== 'false' && watch !== '0';
  if (verb === 'get' && name === '') return isWatch ? 'watch' : 'list';
  if (verb === 'delete' && name === '') return 'deletecollection';
  return verb;
}

/** The name that `fieldSelector=metadata.name=x` pins a collection request to; '' when there is none. */
function pinnedName(query: URLSearchParams): string {
  return (
    /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '')?.[1] ?? ''
  );
}

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
  const prefix = segments[0] ?? '';
  const head = prefix === 'api' ? 2 : prefix === 'apis' ? 3 : 0;
  if (head === 0 || segments.length <= head) return nonResource(method, path);
  const group = prefix === 'api' ? '' : (segments[1] ?? '');
  const version = segments[head - 1] ?? '';
  let rest = segments.slice(head);
  let verb = VERBS[method] ?? method.toLowerCase();
  if (rest[0] === 'watch' && rest.length > 1) {
    verb = 'watch';
    rest = rest.slice(1);
  } else if (rest[0] === 'proxy' && rest.length > 1) {
    verb = 'proxy';
    rest = rest.slice(1);
  }
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1] ?? '';
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2] ?? '')) rest = rest.slice(2);
  }
  const [resource = '', name = '', subresource = ''] = rest;
  const asked = verbOf(verb, name, query);
  const isCollection = asked === 'list' || asked === 'watch' || asked === 'deletecollection';
  return {
    isResource: true,
    path,
    verb: asked,
    apiPrefix: prefix,
    group,
    version,
    namespace,
    resource,
    subresource,
    name: name === '' && isCollection ? pinnedName(query) : name,
    parts: rest,
  };
}
