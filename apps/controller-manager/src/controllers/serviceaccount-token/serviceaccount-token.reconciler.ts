import { readFileSync } from 'node:fs';
import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound, keyOf } from '@orrery/apimachinery';
import type { Secret, ServiceAccount } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { ConfigError } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import { ServiceAccountTokenSigner, parsePrivateKey } from '@orrery/pki';
import type { ControllerEntry } from '../../controller-entry.js';
import { ACCOUNT_NAME, ACCOUNT_UID, TOKEN_TYPE, decideToken } from './token-secret.decide.js';

const NAME = 'serviceaccount-token-controller';
const SECRETS = { fieldSelector: `type=${TOKEN_TYPE}` };

/** Fills Secrets that ask for the token of a service account, and deletes those whose account is gone. */
export class ServiceAccountTokenReconciler implements Reconciler {
  constructor(
    private readonly secrets: Lister<Secret>,
    private readonly accounts: Lister<ServiceAccount>,
    private readonly client: KubeClient,
    private readonly signer: ServiceAccountTokenSigner,
    private readonly rootCa: string,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const secret = this.secrets.get(key);
    const name = secret?.metadata.annotations?.[ACCOUNT_NAME];
    if (!secret || !name) return done;
    const { namespace = '' } = key;
    const decision = decideToken(secret, this.accounts.get({ namespace, name }), this.rootCa);
    if (decision.act === 'none') return done;
    const account = await this.#ask(namespace, name);
    const anew = decideToken(secret, account, this.rootCa);
    if (anew.act === 'delete') await this.#delete(secret);
    else if (anew.act === 'fill' && account) await this.#fill(secret, account, anew);
    return done;
  }

  async #ask(namespace: string, name: string): Promise<ServiceAccount | undefined> {
    try {
      return await this.client.resource(resources.serviceaccounts).get({ namespace, name });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #delete(secret: Secret): Promise<void> {
    const { uid, resourceVersion } = secret.metadata;
    const preconditions = {
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
    };
    try {
      await this.client.resource(resources.secrets).delete(keyOf(secret), { preconditions });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #fill(
    secret: Secret,
    account: ServiceAccount,
    missing: { readonly token: boolean; readonly data: Readonly<Record<string, string>> },
  ): Promise<void> {
    const { namespace = '', name = '', uid = '' } = account.metadata;
    const token = missing.token
      ? await this.signer.signLegacy({ namespace, name, uid }, secret.metadata.name ?? '')
      : undefined;
    const encoded: Record<string, string> = token
      ? { token: Buffer.from(token).toString('base64') }
      : {};
    await this.client.resource(resources.secrets).update({
      ...secret,
      metadata: {
        ...secret.metadata,
        annotations: { ...secret.metadata.annotations, [ACCOUNT_UID]: uid },
      },
      data: { ...secret.data, ...missing.data, ...encoded },
    });
  }
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(`${flag} ${path} cannot be read: ${String(cause)}`, { cause });
  }
}

export const serviceAccountTokenController: ControllerEntry = {
  name: NAME,
  enabled: ({ serviceAccountPrivateKeyFile }) => serviceAccountPrivateKeyFile !== '',
  definition({ informers }) {
    const secrets = informers.informer(resources.secrets, SECRETS).lister;
    return defineController(NAME)
      .concurrency(5)
      .for(resources.secrets, { scope: SECRETS })
      .watches(
        resources.serviceaccounts,
        ({ metadata }) =>
          secrets
            .list(metadata.namespace)
            .filter((secret) => secret.metadata.annotations?.[ACCOUNT_NAME] === metadata.name)
            .map(keyOf),
        { changed: (account, old) => account.metadata.uid !== old.metadata.uid },
      )
      .build();
  },
  create({ client, informers, options }) {
    const { serviceAccountPrivateKeyFile: key, rootCaFile } = options;
    const pem = read('--service-account-private-key-file', key);
    return new ServiceAccountTokenReconciler(
      informers.informer(resources.secrets, SECRETS).lister,
      informers.informer(resources.serviceaccounts).lister,
      client,
      new ServiceAccountTokenSigner(parsePrivateKey(pem), ''),
      rootCaFile === '' ? '' : read('--root-ca-file', rootCaFile),
    );
  },
};
