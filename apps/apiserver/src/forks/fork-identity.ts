import { parsePrivateKey } from '@orrery/pki';
import type { KeyPair } from '@orrery/pki';
import type { Fork } from '@orrery/storage';
import { authorizersOf } from '../authz/authorization-configuration.js';
import { ApiServerOptions } from '../config/options.js';

/** Who signs the service-account tokens of one API. */
export interface TokenIssuer {
  readonly issuer: string;
  readonly keys: KeyPair;
}

/** A fork's own issuer: its tokens are good in the fork alone, and the live cluster's service accounts are not in it. */
export function issuerOf({ name, uid, issuerKey }: Fork, options: ApiServerOptions): TokenIssuer {
  const [live = 'https://kubernetes.default.svc'] = options.serviceAccountIssuer;
  const issuer = `${live.replace(/\/+$/, '')}/forks/${name}/${uid}`;
  return { issuer, keys: parsePrivateKey(issuerKey) };
}

/** Plugins that call out of the cluster: what happens in a fork must stay in it. */
const OUTBOUND = ['MutatingAdmissionWebhook', 'ValidatingAdmissionWebhook'];

/** The authorizers that judge by the fork alone: its own RBAC, where the live cluster has none but those that ask outside. */
function innerModes(options: ApiServerOptions): string[] {
  const modes = authorizersOf(options).flatMap((one) => ('webhook' in one ? [] : [one.mode]));
  return modes.length > 0 ? modes : ['RBAC'];
}

/** The server's options as they are for a fork: credentials are the live cluster's matter, or its own issuer's. */
export function forkOptions(options: ApiServerOptions, issuer: TokenIssuer): ApiServerOptions {
  return Object.assign(new ApiServerOptions(), options, {
    serviceAccountIssuer: [issuer.issuer],
    serviceAccountKeyFile: [],
    serviceAccountSigningKeyFile: '',
    apiAudiences: [],
    tokenAuthFile: '',
    clientCaFile: '',
    requestheaderClientCaFile: '',
    enableBootstrapTokenAuth: false,
    authenticationConfig: '',
    authenticationTokenWebhookConfigFile: '',
    oidcIssuerUrl: '',
    oidcClientId: '',
    authorizationConfig: '',
    authorizationWebhookConfigFile: '',
    authorizationMode: innerModes(options),
    enableAdmissionPlugins: options.enableAdmissionPlugins.filter(
      (name) => !OUTBOUND.includes(name),
    ),
    disableAdmissionPlugins: [...options.disableAdmissionPlugins, ...OUTBOUND],
  });
}
