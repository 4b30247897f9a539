import type { ObjectKey } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import { resources } from '@orrery/api';
import type { KubeClient, TokenSource } from '@orrery/client';
import type { Clock } from '@orrery/component';

const NAMESPACE = 'kube-system';
/** k8s controller-manager/pkg/clientbuilder/client_builder_dynamic.go: defaultExpirationSeconds, defaultLeewayPercent. */
const LIFE_SECONDS = 3600;
const LEEWAY = 0.2;

interface TokenRequest {
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string };
}

export interface ServiceAccountTokenOptions {
  /** May create service accounts of kube-system and ask for their tokens. */
  readonly client: KubeClient;
  /** Its name; made when it is not there. */
  readonly account: string;
  readonly clock: Clock;
}

/**
 * The token of a service account of kube-system: asked for before the first request, and anew once four fifths of its
 * life are over or the server refused it. `ready` rejects when none can be had.
 */
export class ServiceAccountToken implements TokenSource {
  #token: string | undefined;
  /** By the monotonic clock. */
  #goodUntil = 0;
  #asking: Promise<void> | undefined;

  constructor(private readonly options: ServiceAccountTokenOptions) {}

  ready(): Promise<void> {
    if (this.#token !== undefined && this.options.clock.monotonic() < this.#goodUntil)
      return Promise.resolve();
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  token(): string | undefined {
    return this.#token;
  }

  expire(): void {
    this.#token = undefined;
  }

  async #ask(): Promise<void> {
    const { clock } = this.options;
    const askedAt = clock.monotonic();
    const { token, expirationTimestamp = '' } = (await this.#request()).status ?? {};
    const life = Date.parse(expirationTimestamp) - clock.now();
    this.#token = token;
    this.#goodUntil = askedAt + life - LIFE_SECONDS * 1000 * LEEWAY;
  }

  async #request(): Promise<TokenRequest> {
    const { client, account } = this.options;
    const accounts = client.resource(resources.serviceaccounts);
    const key: ObjectKey = { namespace: NAMESPACE, name: account };
    const ask = (): Promise<TokenRequest> =>
      accounts.createSubresource<TokenRequest>(key, 'token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: LIFE_SECONDS },
      });
    try {
      return await ask();
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    try {
      await accounts.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: key });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    return ask();
  }
}
