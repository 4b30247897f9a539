import { posix } from 'node:path';

/** Where an answer comes from and how clients reach it. */
export interface ProxiedPage {
  /** Path that stands before the back-end's own: `/api/v1/namespaces/default/pods/web/proxy`. */
  readonly prefix: string;
  /** Names under which the back-end speaks of itself: its address with the port, and the Host header it was asked with. */
  readonly hosts: readonly string[];
}

const URL_PARTS = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is;

/** What Go's url.Parse refuses. */
const isMalformed = (link: string): boolean =>
  /%(?![0-9a-f]{2})/i.test(link) || Array.from(link).some((one) => one < ' ' || one === '\x7f');

/** A link of a proxied page so that it goes through the proxy; unchanged where it is relative or leads elsewhere (k8s apimachinery pkg/util/proxy/transport.go:rewriteURL). */
export function throughProxy(link: string, { prefix, hosts }: ProxiedPage): string {
  const [, scheme, host = '', path = '', rest = ''] = URL_PARTS.exec(link) ?? [];
  const leadsElsewhere = host === '' ? scheme !== undefined : !hosts.includes(host);
  if (leadsElsewhere || !path.startsWith('/') || isMalformed(link)) return link;
  if (path.startsWith(prefix)) return `${path}${rest}`;
  // join() takes a closing slash over from the last part.
  return `${posix.join(prefix, path)}${rest}`;
}
