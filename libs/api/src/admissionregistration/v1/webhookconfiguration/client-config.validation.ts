import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { invalid, required } from '@orrery/apimachinery';
import type { WebhookClientConfig } from '../../../gen/types/admissionregistration.v1.js';
import { when } from '../../../meta/findings.js';
import { dnsSubdomain, portNumber } from '../../../meta/names.js';

const FORM = '; desired format: https://host[/path]';

interface UrlParts {
  readonly scheme: string;
  readonly user: string;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

const URL_PARTS =
  /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^/?#]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

/** Why Go's net/url would not read the text. */
function urlProblem(url: string, path: string): string | undefined {
  const escape = /%(?![0-9a-fA-F]{2})[\s\S]{0,2}/.exec(url)?.[0];
  // oxlint-disable-next-line no-control-regex -- what must not stand in a URL
  if (/[\u0000-\u001f\u007f]/.test(url)) return 'net/url: invalid control character in URL';
  if (url.startsWith(':')) return 'missing protocol scheme';
  if (escape !== undefined) return `invalid URL escape ${JSON.stringify(escape)}`;
  return !url.startsWith('/') && path === url && /^[^/]*:/.test(path)
    ? 'first path segment in URL cannot contain colon'
    : undefined;
}

function parseUrl(url: string): UrlParts | string {
  const [, scheme, user, host, path, query, fragment] = URL_PARTS.exec(url) ?? [];
  const problem = urlProblem(url, path ?? '');
  if (problem !== undefined) return problem;
  return {
    scheme: (scheme ?? '').toLowerCase(),
    user: user ?? '',
    host: host ?? '',
    query: query ?? '',
    fragment: fragment ?? '',
  };
}

/** k8s apiserver pkg/util/webhook/validation.go:ValidateWebhookURL. */
function validateUrl(url: string, path: Path): FieldError[] {
  const parts = parseUrl(url);
  if (typeof parts === 'string') {
    const problem = `parse ${JSON.stringify(url)}: ${parts}`;
    return [required(path, `url must be a valid URL: ${problem}${FORM}`)];
  }
  const { scheme, user, host, query, fragment } = parts;
  const refuse = (value: string, text: string): FieldError =>
    invalid(path, value, `${text} not permitted in the URL`);
  return [
    ...when(
      scheme !== 'https',
      invalid(path, scheme, `'https' is the only allowed URL scheme${FORM}`),
    ),
    ...when(host === '', invalid(path, '', `host must be specified${FORM}`)),
    ...when(user !== '', refuse(user, 'user information is')),
    ...when(fragment !== '', refuse(fragment, 'fragments are')),
    ...when(query !== '', refuse(query, 'query parameters are')),
  ];
}

function validatePath(given: string | undefined, path: Path): FieldError[] {
  if (!given || given === '/') return [];
  const refuse = (text: string): FieldError => invalid(path, given, text);
  if (given === '//') return [refuse('segment[0] may not be empty')];
  const segments = given.slice(1).replace(/\/$/, '').split('/');
  return [
    ...when(!given.startsWith('/'), refuse("must start with a '/'")),
    ...segments.flatMap((segment, i) =>
      segment === ''
        ? [refuse(`segment[${i}] may not be empty`)]
        : dnsSubdomain(segment).map((text) => refuse(`segment[${i}]: ${text}`)),
    ),
  ];
}

/**
 * Also for the conversion webhooks of CustomResourceDefinitions
 * (k8s apiserver pkg/util/webhook/validation.go:ValidateWebhookService).
 */
export function validateClientConfig(
  config: WebhookClientConfig | undefined,
  path: Path,
): FieldError[] {
  const url = config?.url ?? undefined;
  const service = config?.service ?? undefined;
  if ((url === undefined) === (service === undefined)) {
    return [required(path, 'exactly one of url or service is required')];
  }
  if (url !== undefined) return validateUrl(String(url), path.child('url'));
  const at = path.child('service');
  const port = service?.port ?? 443;
  return [
    // Upstream hands name and namespace over in the wrong order: each is blamed for the other.
    ...when(!service?.namespace, required(at.child('name'))),
    ...when(!service?.name, required(at.child('namespace'))),
    ...portNumber(port).map((text) =>
      invalid(at.child('port'), port, `port is not valid: ${text}`),
    ),
    ...validatePath(service?.path ?? undefined, at.child('path')),
  ];
}
