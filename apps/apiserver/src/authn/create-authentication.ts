import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadKubeconfig } from '@orrery/client';
import { ConfigError, joinHostPort, parseDuration } from '@orrery/component';
import {
  ServiceAccountTokenSigner,
  ServiceAccountTokenVerifier,
  parsePrivateKey,
  parsePublicKeys,
} from '@orrery/pki';
import { followCertificates, readCertificates } from '../config/certificate-file.js';
import type { ApiServerOptions } from '../config/options.js';
import type { ServerServices } from '../extensions.js';
import type { TokenIssuer } from '../forks/fork-identity.js';
import type { Authenticator } from '../filters/authentication.js';
import { everybodyIsAdmin } from '../filters/authentication.js';
import type { Authorizer } from '../filters/authorization.js';
import type { ClusterViews } from '../live-view/cluster-views.js';
import type { PathHandler } from '../subresources.js';
import { BootstrapTokenAuthenticator } from './bootstrap-token.authenticator.js';
import { ClientCertificateAuthenticator } from './client-certificate.authenticator.js';
import { HookPoster } from '../webhooks/https-post.js';
import { toHookTarget } from '../webhooks/kubeconfig-target.js';
import { ImpersonatingAuthenticator } from './impersonation.js';
import { lifetimes } from '../health/server-metrics.js';
import { measuredImpersonation } from './impersonation-metrics.js';
import { jwtConfigurationOf } from './jwt-configuration.js';
import type { JwtConfiguration } from './jwt-configuration.js';
import { JwtIssuers } from './jwt-issuers.js';
import { openIdDiscovery } from './openid-discovery.js';
import { RequestHeaderAuthenticator } from './request-header.authenticator.js';
import { ServiceAccountAuthenticator } from './service-accounts/service-account.authenticator.js';
import { TokenUse } from './service-accounts/token-use.js';
import { StaticTokenAuthenticator } from './static-token.authenticator.js';
import type { TokenAuthenticator } from './token.js';
import { TokenUnion, UnionAuthenticator } from './union.authenticator.js';
import { WebhookTokenAuthenticator } from './webhook-token.authenticator.js';

export interface Authentication {
  readonly authenticator: Authenticator;
  readonly tokens: TokenAuthenticator;
  readonly signer?: ServiceAccountTokenSigner;
  readonly publicKeys: readonly KeyObject[];
  readonly audiences: readonly string[];
}

function readFlag<T>(flag: string, path: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--${flag}: ${path}: ${why}`, { cause: error });
  }
}

function readPublicKeys(options: ApiServerOptions): KeyObject[] {
  return options.serviceAccountKeyFile.flatMap((path) => [
    ...readFlag('service-account-key-file', path, parsePublicKeys),
  ]);
}

function tokenAuthenticators(
  services: ServerServices,
  views: ClusterViews,
  publicKeys: readonly KeyObject[],
  jwt: JwtConfiguration,
): TokenAuthenticator[] {
  const { options, clock, logger, signal } = services;
  const members: TokenAuthenticator[] = [];
  const file = options.tokenAuthFile;
  if (file !== '')
    members.push(
      readFlag('token-auth-file', file, (csv) => new StaticTokenAuthenticator(csv, file)),
    );
  if (publicKeys.length > 0) {
    const verifier = new ServiceAccountTokenVerifier(publicKeys, options.serviceAccountIssuer);
    const objects = options.serviceAccountLookup ? views : undefined;
    members.push(new ServiceAccountAuthenticator(verifier, objects, clock, new TokenUse(services)));
  }
  if (options.enableBootstrapTokenAuth)
    members.push(new BootstrapTokenAuthenticator(views.secrets, clock));
  const issuers = new JwtIssuers(jwt, services);
  if (options.authenticationConfig !== '') void issuers.follow(options.authenticationConfig);
  members.push(issuers);
  const hook = options.authenticationTokenWebhookConfigFile;
  if (hook !== '') {
    const poster = new HookPoster(clock);
    signal.addEventListener('abort', () => {
      poster.close();
    });
    const webhook = {
      target: toHookTarget(loadKubeconfig(hook)),
      version: options.authenticationTokenWebhookVersion,
      cacheTtlMs: parseDuration(options.authenticationTokenWebhookCacheTtl) ?? 0,
    };
    members.push(new WebhookTokenAuthenticator(webhook, { poster, clock, logger }));
  }
  return members;
}

/** The headers of a front proxy have upstream's names; others are refused. */
function refuseOtherHeaders(options: ApiServerOptions): void {
  for (const [flag, given, known] of [
    ['username-headers', options.requestheaderUsernameHeaders, 'x-remote-user'],
    ['uid-headers', options.requestheaderUidHeaders, 'x-remote-uid'],
    ['group-headers', options.requestheaderGroupHeaders, 'x-remote-group'],
    ['extra-headers-prefix', options.requestheaderExtraHeadersPrefix, 'x-remote-extra-'],
  ] as const)
    if (given.join().toLowerCase() !== known)
      throw new ConfigError(`--requestheader-${flag}: only ${known} is modelled`);
}

/** Reads every file that the flags name, so that none is found wrong later. Throws ConfigError. */
export function checkAuthenticationFlags(options: ApiServerOptions): void {
  readPublicKeys(options);
  jwtConfigurationOf(options);
  refuseOtherHeaders(options);
  readCertificates('client-ca-file', options.clientCaFile);
  readCertificates('requestheader-client-ca-file', options.requestheaderClientCaFile);
  const { tokenAuthFile: file, serviceAccountSigningKeyFile: key } = options;
  if (file !== '')
    readFlag('token-auth-file', file, (csv) => new StaticTokenAuthenticator(csv, file));
  if (key !== '') readFlag('service-account-signing-key-file', key, parsePrivateKey);
  if (options.serviceAccountIssuer.length === 0)
    throw new ConfigError('--service-account-issuer: must be given');
  for (const issuer of options.serviceAccountIssuer)
    if (issuer.includes(':') && !URL.canParse(issuer))
      throw new ConfigError(
        `service-account-issuer ${JSON.stringify(issuer)} contained a ':' but was not a valid URL`,
      );
}

/** A server that names no credentials at all and allows everything takes everybody for the administrator. */
function isOpen(options: ApiServerOptions): boolean {
  return (
    options.clientCaFile === '' &&
    options.tokenAuthFile === '' &&
    options.serviceAccountKeyFile.length === 0 &&
    options.oidcIssuerUrl === '' &&
    options.authenticationConfig === '' &&
    options.authenticationTokenWebhookConfigFile === '' &&
    options.authorizationConfig === '' &&
    options.authorizationMode.join() === 'AlwaysAllow'
  );
}

/** Puts together what --client-ca-file, --token-auth-file, --service-account-* … ask for. Throws ConfigError. */
export function createAuthentication(
  services: ServerServices,
  views: ClusterViews,
  authorizer: Authorizer,
  own?: TokenIssuer,
): Authentication {
  const { options, clock } = services;
  const [issuer = ''] = options.serviceAccountIssuer;
  const audiences = options.apiAudiences.length > 0 ? options.apiAudiences : [issuer];
  const publicKeys = own ? [own.keys.publicKey] : readPublicKeys(options);
  const jwt = jwtConfigurationOf(options);
  if (jwt.anonymous !== undefined) options.anonymousAuth = jwt.anonymous;
  options.anonymousPaths = jwt.anonymousPaths;
  refuseOtherHeaders(options);
  const tokens = new TokenUnion(tokenAuthenticators(services, views, publicKeys, jwt));
  const { clientCaFile, requestheaderClientCaFile: frontCaFile } = options;
  const clientCas = followCertificates('client-ca-file', clientCaFile, services);
  const frontCas = followCertificates('requestheader-client-ca-file', frontCaFile, services);
  const union = new UnionAuthenticator(
    [
      ...(frontCaFile !== ''
        ? [new RequestHeaderAuthenticator(frontCas, clock, options.requestheaderAllowedNames)]
        : []),
      ...(clientCaFile !== ''
        ? [new ClientCertificateAuthenticator(clientCas, clock, lifetimes(services.metrics))]
        : []),
    ],
    tokens,
    audiences,
  );
  const key = options.serviceAccountSigningKeyFile;
  const signingKeys =
    own?.keys ??
    (key === '' ? undefined : readFlag('service-account-signing-key-file', key, parsePrivateKey));
  return {
    authenticator: new ImpersonatingAuthenticator(
      !own && isOpen(options) ? everybodyIsAdmin : union,
      measuredImpersonation(services.metrics, { authorizer, clock }),
    ),
    tokens,
    publicKeys,
    audiences,
    ...(signingKeys && { signer: new ServiceAccountTokenSigner(signingKeys, issuer) }),
  };
}

/** /.well-known/openid-configuration and /openid/v1/jwks; none without keys. */
export async function openIdPaths(
  options: ApiServerOptions,
  publicKeys: readonly KeyObject[],
): Promise<PathHandler[]> {
  const [issuer = ''] = options.serviceAccountIssuer;
  if (publicKeys.length === 0) return [];
  const host = options.externalHostname || (options.advertiseAddress ?? options.bindAddress);
  const own = `https://${joinHostPort(host, options.securePort)}/openid/v1/jwks`;
  return openIdDiscovery(issuer, publicKeys, options.serviceAccountJwksUri || own);
}
