import { StatusError, newForbidden } from '@orrery/apimachinery';
import type { UserInfo } from '@orrery/registry';
import type { Decision } from '../filters/authorization.js';
import type { RequestInfo, RequestSelectors } from '../filters/request-info.js';

/** A question to the authorizer that no request line asks. */
export function resourceAttributes(attributes: {
  readonly verb: string;
  readonly resource: string;
  readonly group?: string;
  readonly version?: string;
  readonly namespace?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly selectors?: RequestSelectors;
}): RequestInfo {
  const { group = '', version = 'v1', namespace = '', subresource = '', name = '' } = attributes;
  return {
    isResource: true,
    path: '',
    verb: attributes.verb,
    apiPrefix: group === '' ? 'api' : 'apis',
    group,
    version,
    namespace,
    resource: attributes.resource,
    subresource,
    name,
    parts: [],
    ...(attributes.selectors ? { selectors: attributes.selectors } : {}),
  };
}

/** A question about a path. */
export function pathAttributes(verb: string, path: string): RequestInfo {
  return { ...resourceAttributes({ verb, resource: '' }), isResource: false, path, apiPrefix: '' };
}

/** `User "x" cannot list resource "pods" in API group "" in the namespace "default"` (k8s responsewriters/errors.go). */
export function cannot(user: UserInfo, info: RequestInfo): string {
  const who = `User ${JSON.stringify(user.name)}`;
  if (!info.isResource) return `${who} cannot ${info.verb} path ${JSON.stringify(info.path)}`;
  const what = info.subresource ? `${info.resource}/${info.subresource}` : info.resource;
  const where =
    info.namespace === ''
      ? 'at the cluster scope'
      : `in the namespace ${JSON.stringify(info.namespace)}`;
  return `${who} cannot ${info.verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(info.group)} ${where}`;
}

/** The 403 of a request that no authorizer allowed. */
export function forbiddenBy(user: UserInfo, info: RequestInfo, decision: Decision): StatusError {
  const why = decision.reason ? `: ${decision.reason}` : '';
  return newForbidden(
    { group: info.group, resource: info.resource },
    info.name,
    `${cannot(user, info)}${why}`,
  );
}
