import { timingSafeEqual } from 'node:crypto';
import type { Secret } from '@orrery/api';
import type { Clock } from '@orrery/component';
import type { LiveReader } from '../live-view/live-view.js';
import type { TokenAuthenticator, TokenUser } from './token.js';

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Tokens `id.secret` of the Secrets kube-system/bootstrap-token-<id>, by which nodes join. */
export class BootstrapTokenAuthenticator implements TokenAuthenticator {
  constructor(
    private readonly secrets: LiveReader<Secret>,
    private readonly clock: Clock,
  ) {}

  authenticateToken(token: string, audiences: readonly string[]): Promise<TokenUser | undefined> {
    return Promise.resolve(this.#authenticate(token, audiences));
  }

  #authenticate(token: string, audiences: readonly string[]): TokenUser | undefined {
    const [, id, given = ''] = TOKEN.exec(token) ?? [];
    if (!id) return undefined;
    const secret = this.secrets.get(`bootstrap-token-${id}`, 'kube-system');
    if (secret?.type !== 'bootstrap.kubernetes.io/token' || secret.metadata.deletionTimestamp)
      return undefined;
    const field = (name: string): string =>
      Buffer.from(secret.data?.[name] ?? '', 'base64').toString();
    const wanted = Buffer.from(field('token-secret'));
    const offered = Buffer.from(given);
    if (wanted.length !== offered.length || !timingSafeEqual(wanted, offered)) return undefined;
    const expiration = field('expiration');
    if (expiration && !(Date.parse(expiration) > this.clock.now())) return undefined;
    if (field('token-id') !== id || field('usage-bootstrap-authentication') !== 'true')
      return undefined;
    const extra = field('auth-extra-groups')
      .split(',')
      .filter((group) => GROUP.test(group));
    return {
      user: { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...extra] },
      audiences,
    };
  }
}
