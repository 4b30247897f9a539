import { ConfigError } from '@orrery/component';
import type { UserInfo } from '@orrery/registry';
import type { TokenAuthenticator, TokenUser } from './token.js';

/** Fields of one CSV line; a quoted field may hold commas. */
function csvFields(line: string): string[] {
  return [...line.matchAll(/\s*(?:"([^"]*)"|([^,]*))\s*(?:,|$)/g)]
    .slice(0, 4)
    .map(([, quoted, plain]) => (quoted ?? plain ?? '').trim());
}

/** Tokens of --token-auth-file: `token,user,uid,"group1,group2"` a line. */
export class StaticTokenAuthenticator implements TokenAuthenticator {
  readonly #users = new Map<string, UserInfo>();

  /** Throws ConfigError naming a line that is too short. */
  constructor(csv: string, source: string) {
    csv.split('\n').forEach((line, index) => {
      if (line.trim() === '' || line.startsWith('#')) return;
      const [token = '', name = '', uid = '', groups = ''] = csvFields(line);
      if (token === '' || name === '')
        throw new ConfigError(
          `token file ${source}: line ${index + 1}: must have at least 3 columns (token, user name, user uid)`,
        );
      this.#users.set(token, {
        name,
        ...(uid ? { uid } : {}),
        groups: groups.split(',').filter((group) => group !== ''),
      });
    });
  }

  authenticateToken(token: string, audiences: readonly string[]): Promise<TokenUser | undefined> {
    const user = this.#users.get(token);
    return Promise.resolve(user && { user, audiences });
  }
}
