import type { TokenRequest } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { uidOf } from '../containers/visit.js';
import type { TokenRequestInput } from './payload.js';

interface CachedToken {
  readonly token: string;
  readonly refreshAtMs: number;
}

/** Tokens older than this are renewed even if they live longer (k8s pkg/kubelet/token/token_manager.go). */
const MAX_AGE_MS = 24 * 3_600_000;

/** Service account tokens bound to pods, renewed at 80% of their life. */
export class TokenManager {
  private readonly cache = new Map<string, CachedToken>();

  constructor(
    private readonly client: KubeClient,
    private readonly clock: Clock,
  ) {}

  async get({ pod, audience, expirationSeconds }: TokenRequestInput): Promise<string> {
    const { namespace = '', name = '' } = pod.metadata;
    const account = pod.spec.serviceAccountName || 'default';
    const key = `${uidOf(pod)}/${account}/${audience}/${expirationSeconds}`;
    const cached = this.cache.get(key);
    const now = this.clock.now();
    if (cached && now < cached.refreshAtMs) return cached.token;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: audience === '' ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid: uidOf(pod) },
      },
    };
    const answer = await this.client
      .resource(resources.serviceaccounts)
      .createSubresource<TokenRequest>({ namespace, name: account }, 'token', body);
    const token = answer.status?.token ?? '';
    const expiresMs =
      Date.parse(answer.status?.expirationTimestamp ?? '') || now + expirationSeconds * 1000;
    this.cache.set(key, {
      token,
      refreshAtMs: now + Math.min((expiresMs - now) * 0.8, MAX_AGE_MS),
    });
    return token;
  }

  forget(uid: string): void {
    for (const key of this.cache.keys()) if (key.startsWith(`${uid}/`)) this.cache.delete(key);
  }
}
