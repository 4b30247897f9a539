import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { StatusError } from '@orrery/apimachinery';
import { AUTHENTICATED, mayDo, whoseToken } from '@orrery/client';
import type { KnownUser, KubeClient } from '@orrery/client';
import { AnswerCache } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { isClientCertificateOf, parseCertificates, subjectOf } from '@orrery/pki';
import type { ServingOptions } from './serving-flags.js';
import type { Trust } from './trust.js';

export interface AuthParts {
  readonly clock: Clock;
  readonly options: Pick<ServingOptions, 'authentication' | 'authorization'>;
  /** Asked who a token is of; none = tokens are not looked at. */
  readonly authenticator: KubeClient | undefined;
  /** Asked what somebody may do; none = nobody may but the privileged group. */
  readonly authorizer: KubeClient | undefined;
}

const ANONYMOUS: KnownUser = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** A path that ends in * means all that begin so (k8s apiserver authorization/path:NewAuthorizer). */
const covers = (allowed: string, path: string): boolean =>
  allowed.endsWith('*') ? path.startsWith(allowed.slice(0, -1)) : path === allowed;

const NO_TRUST: Trust = {
  clientCa: '',
  headerCa: '',
  headers: { allowedNames: [], usernames: [], uids: [], groups: [], extraPrefixes: [] },
};

/** Who asks, and whether the API server lets them (k8s apiserver pkg/server/options: DelegatingAuthenticationOptions, DelegatingAuthorizationOptions). */
export class DelegatedAuth {
  readonly #answers: AnswerCache;
  #trust = { ...NO_TRUST, clients: parseCertificates(''), proxies: parseCertificates('') };

  constructor(private readonly parts: AuthParts) {
    this.#answers = new AnswerCache(parts.clock);
  }

  set trust(trust: Trust) {
    const clients = parseCertificates(trust.clientCa);
    this.#trust = { ...trust, clients, proxies: parseCertificates(trust.headerCa) };
  }

  /** Undefined: the request may go on. */
  async check(request: IncomingMessage): Promise<StatusError | undefined> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const verb = (request.method ?? 'GET').toLowerCase();
    try {
      const user = await this.#authenticate(request);
      if (!user) return new StatusError(401, 'Unauthorized', 'Unauthorized');
      if (await this.#isAllowed(user, verb, path)) return undefined;
      const text = `forbidden: User "${user.name}" cannot ${verb} path "${path}"`;
      return new StatusError(403, 'Forbidden', text, { details: {} });
    } catch (error) {
      return new StatusError(
        500,
        'InternalError',
        `Internal Server Error: "${path}": ${String(error)}`,
      );
    }
  }

  /** Undefined: somebody, who could not be recognised. */
  async #authenticate(request: IncomingMessage): Promise<KnownUser | undefined> {
    const { socket } = request;
    const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    const { clients, proxies } = this.#trust;
    let isUnknown = false;
    if (shown && clients.length + proxies.length > 0) {
      const user = this.#userOfCertificate(shown, request);
      if (user) return user;
      isUnknown = true;
    }
    const token = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const { authenticator, options } = this.parts;
    if (token === undefined || !authenticator) return isUnknown ? undefined : ANONYMOUS;
    return this.#answers.of(
      `token/${token}`,
      () => whoseToken(authenticator, token),
      () => options.authentication.tokenMs,
    );
  }

  #userOfCertificate(
    certificate: X509Certificate,
    request: IncomingMessage,
  ): KnownUser | undefined {
    const { clients, proxies, headers } = this.#trust;
    const now = this.parts.clock.now();
    const { commonName: name, organizations } = subjectOf(certificate);
    if (name === '') return undefined;
    const isProxy = headers.allowedNames.length === 0 || headers.allowedNames.includes(name);
    if (isProxy && isClientCertificateOf(certificate, proxies, now)) {
      const user = this.#userOfHeaders(request);
      if (user) return user;
    }
    return isClientCertificateOf(certificate, clients, now)
      ? { name, groups: [...organizations, AUTHENTICATED] }
      : undefined;
  }

  #userOfHeaders({ headersDistinct }: IncomingMessage): KnownUser | undefined {
    const { usernames, uids, groups, extraPrefixes } = this.#trust.headers;
    const all = (names: readonly string[]): string[] =>
      names.flatMap((name) => headersDistinct[name.toLowerCase()] ?? []);
    const [name] = all(usernames);
    if (!name) return undefined;
    const extra: Record<string, string[]> = {};
    for (const prefix of extraPrefixes.map((each) => each.toLowerCase()))
      for (const [header, values] of Object.entries(headersDistinct))
        if (header.startsWith(prefix))
          extra[decodeURIComponent(header.slice(prefix.length))] = values ?? [];
    const [uid] = all(uids);
    return {
      name,
      groups: [...all(groups), AUTHENTICATED],
      ...(uid === undefined ? {} : { uid }),
      ...(Object.keys(extra).length > 0 ? { extra } : {}),
    };
  }

  async #isAllowed(user: KnownUser, verb: string, path: string): Promise<boolean> {
    const { authorizer, options } = this.parts;
    const { alwaysAllowPaths, allowedMs, deniedMs } = options.authorization;
    if (user.groups.includes('system:masters')) return true;
    if (alwaysAllowPaths.some((allowed) => covers(allowed, path))) return true;
    if (!authorizer) return false;
    return this.#answers.of(
      `access/${JSON.stringify([user, verb, path])}`,
      () => mayDo(authorizer, user, { nonResourceAttributes: { path, verb } }),
      (allowed) => (allowed ? allowedMs : deniedMs),
    );
  }
}
