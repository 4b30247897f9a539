import { readFileSync } from 'node:fs';
import type { Clock } from '@orrery/component';
import { ConfigError } from '@orrery/component';

/** Gives the bearer token of the next request. */
export interface TokenSource {
  /** Awaited before each request: for a token that has to be asked for. */
  ready?(signal?: AbortSignal): Promise<void>;
  token(): string | undefined;
  /** The server refused the token: the next call reads it anew. */
  expire(): void;
}

/** How long a token file is trusted before it is read again (k8s client-go transport/token_source.go). */
const REREAD_MS = 60_000;

export const noToken: TokenSource = { token: () => undefined, expire: () => undefined };

export const fixedToken = (token: string): TokenSource => ({
  token: () => token,
  expire: () => undefined,
});

/** A token in a file that somebody else rotates. An unreadable file keeps the last token; the first read must succeed. */
export class FileToken implements TokenSource {
  #value: string | undefined;
  #readAt = 0;

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
  ) {}

  token(): string {
    const now = this.clock.monotonic();
    if (this.#value !== undefined && now - this.#readAt < REREAD_MS) return this.#value;
    try {
      this.#value = readFileSync(this.path, 'utf8').trim();
    } catch (cause) {
      if (this.#value === undefined)
        throw new ConfigError(`token file ${this.path} cannot be read: ${String(cause)}`, {
          cause,
        });
    }
    this.#readAt = now;
    return this.#value ?? '';
  }

  expire(): void {
    this.#readAt = -REREAD_MS;
  }
}
