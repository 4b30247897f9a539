import { OpaqueValue, ListValue } from '../values/value.js';
import { EntriesMap } from '../values/map-value.js';
import type { Overload } from './overload.js';
import { fail, fn } from './overload.js';

class UrlValue extends OpaqueValue {
  readonly typeName = 'kubernetes.URL';

  constructor(
    readonly text: string,
    readonly scheme: string,
    readonly host: string,
    readonly path: string,
    readonly query: string,
  ) {
    super();
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof UrlValue && other.text === this.text;
  }
}

const FORM =
  /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?$/;
const HOST = /^(?:\[[0-9A-Fa-f:.%a-z]+\]|[^[\]:\s<>"\\^`{|}]*)(?::\d*)?$/;

const isControl = (char: string): boolean => char < ' ' || char === '\x7f';

/** `mailto:x`: a scheme with something that is no path. */
const isOpaque = (text: string, path: string): boolean =>
  path !== '' && !path.startsWith('/') && !text.includes('://');

/** Go's url.ParseRequestURI: absolute, or a path from the root. */
export function readUrl(text: string): UrlValue | undefined {
  if (text === '' || Array.from(text).some(isControl)) return undefined;
  const found = FORM.exec(text.replace('#', '%23')) ?? [];
  const [scheme, host, path, query] = [1, 3, 4, 5].map((group) => found[group] ?? '') as [
    string,
    string,
    string,
    string,
  ];
  const isRooted = scheme !== '' || path.startsWith('/') || text.startsWith('//');
  if (!isRooted) return undefined;
  const name = scheme.toLowerCase();
  if (scheme !== '' && isOpaque(text, path)) return new UrlValue(text, name, '', '', query);
  if (!HOST.test(host) || host.includes(' ') || /%(?![0-9A-Fa-f]{2})/.test(path)) return undefined;
  return new UrlValue(text, name, host, path, query);
}

const hostname = ({ host }: UrlValue): string => host.replace(/:\d*$/, '').replace(/^\[|\]$/g, '');
const port = ({ host }: UrlValue): string => /:(\d*)$/.exec(host)?.[1] ?? '';

const escapePath = (path: string): string =>
  path.replace(/[^A-Za-z0-9\-_.~!$&'()*+,;=:@/%]/gu, (char) => encodeURIComponent(char));

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function queryOf({ query }: UrlValue): EntriesMap {
  const found = new Map<string, string[]>();
  for (const pair of query.split('&').filter((one) => one !== '' && !one.includes(';'))) {
    const at = pair.indexOf('=');
    const key = decode(at < 0 ? pair : pair.slice(0, at));
    const value = decode(at < 0 ? '' : pair.slice(at + 1));
    if (key === undefined || value === undefined) continue;
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return EntriesMap.of([...found].map(([key, values]) => [key, new ListValue(values)] as const));
}

/** Kubernetes' URL library, and the escaping of JSON pointers. */
export const urls: readonly Overload[] = [
  fn(
    'url(string): URL',
    'string_to_url',
    (text: string) =>
      readUrl(text) ??
      fail(
        `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
      ),
  ),
  fn('isURL(string): bool', 'is_url_string', (text: string) => readUrl(text) !== undefined),
  fn('URL.getScheme(): string', 'url_get_scheme', ({ scheme }: UrlValue) => scheme),
  fn('URL.getHost(): string', 'url_get_host', ({ host }: UrlValue) => host),
  fn('URL.getHostname(): string', 'url_get_hostname', hostname),
  fn('URL.getPort(): string', 'url_get_port', port),
  fn('URL.getEscapedPath(): string', 'url_get_escaped_path', ({ path }: UrlValue) =>
    escapePath(path),
  ),
  fn('URL.getQuery(): map(string, list(string))', 'url_get_query', queryOf),
];

/** Only where JSON patches are written (MutatingAdmissionPolicy). */
export const jsonPatchKeys: readonly Overload[] = [
  fn('::jsonpatch.escapeKey(string): string', 'string_jsonpatch_escapeKey_string', (key: string) =>
    key.replaceAll('~', '~0').replaceAll('/', '~1'),
  ),
];
