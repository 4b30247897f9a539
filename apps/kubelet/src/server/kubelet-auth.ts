import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { AUTHENTICATED, mayDo, whoseToken } from '@orrery/client';
import type { KnownUser, KubeClient } from '@orrery/client';
import { AnswerCache } from '@orrery/component';
import type { Clock } from '@orrery/component';

/** Why somebody is not let in, in upstream's words (k8s pkg/kubelet/server/server.go:InstallAuthFilter). */
export interface Refusal {
  readonly code: 401 | 403 | 500;
  readonly text: string;
}

const UNAUTHENTICATED: Refusal = { code: 401, text: 'Unauthorized' };

const ALLOWED_MS = 300_000;
const DENIED_MS = 30_000;
const TOKEN_MS = 120_000;

/** Subresource of `nodes` that a path needs (k8s pkg/kubelet/server/auth.go). */
export function nodeSubresource(path: string): string {
  const first = path.split('/')[1] ?? '';
  const names: Readonly<Record<string, string>> = {
    stats: 'stats',
    metrics: 'metrics',
    logs: 'log',
    checkpoint: 'checkpoint',
    pods: 'pods',
    runningpods: 'pods',
    configz: 'configz',
    healthz: 'healthz',
  };
  return names[first] ?? 'proxy';
}

/** Subresources that `nodes/proxy` covers too (k8s KubeletFineGrainedAuthz). */
const FINE = new Set(['pods', 'healthz', 'configz']);

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

/** Who asks, and whether the API server lets them: client certificates, TokenReview, SubjectAccessReview. */
export class KubeletAuth {
  private readonly answers: AnswerCache;

  constructor(
    private readonly client: KubeClient,
    private readonly nodeName: string,
    clock: Clock,
  ) {
    this.answers = new AnswerCache(clock);
  }

  /** Undefined: the request may go on. */
  async check(request: IncomingMessage): Promise<Refusal | undefined> {
    let user: KnownUser | undefined;
    try {
      user = await this.authenticate(request);
    } catch {
      // As upstream: who cannot be recognised is nobody.
      return UNAUTHENTICATED;
    }
    if (!user) return UNAUTHENTICATED;
    // As upstream's delegating authorizers: the privileged group needs no question.
    if (user.groups.includes('system:masters')) return undefined;
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const verb = VERBS[request.method ?? 'GET'] ?? 'get';
    const own = nodeSubresource(path);
    const tried = FINE.has(own) ? [own, 'proxy'] : [own];
    const asked = `user=${user.name}, verb=${verb}, resource=nodes`;
    for (const subresource of tried)
      try {
        if (await this.allows(user, verb, subresource)) return undefined;
      } catch {
        return { code: 500, text: `Authorization error (${asked}, subresource=${subresource})` };
      }
    return { code: 403, text: `Forbidden (${asked}, subresource(s)=[${tried.join(' ')}])\n` };
  }

  private async authenticate(request: IncomingMessage): Promise<KnownUser | undefined> {
    const socket = request.socket as TLSSocket;
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (socket.authorized && !bearer) {
      const { subject } = socket.getPeerCertificate();
      const name = listOf(subject?.CN)[0];
      return name === undefined
        ? undefined
        : { name, groups: [...listOf(subject?.O), AUTHENTICATED] };
    }
    return bearer
      ? this.answers.of(
          `token/${bearer}`,
          () => whoseToken(this.client, bearer),
          () => TOKEN_MS,
        )
      : undefined;
  }

  private allows(user: KnownUser, verb: string, subresource: string): Promise<boolean> {
    const key = `access/${JSON.stringify([user, verb, subresource])}`;
    const { client, nodeName: name } = this;
    const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name };
    return this.answers.of(
      key,
      () => mayDo(client, user, { resourceAttributes }),
      (allowed) => (allowed ? ALLOWED_MS : DENIED_MS),
    );
  }
}
