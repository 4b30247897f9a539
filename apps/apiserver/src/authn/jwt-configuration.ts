import { readFileSync } from 'node:fs';
import { parseYaml } from '@orrery/apimachinery';
import { ConfigError } from '@orrery/component';
import type { ApiServerOptions } from '../config/options.js';
import type { JwtIssuer, PrefixedClaim } from './jwt.authenticator.js';

export interface JwtConfiguration {
  readonly issuers: readonly JwtIssuer[];
  /** What the file says in place of --anonymous-auth. */
  readonly anonymous?: boolean;
}

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.config.k8s.io/v1beta1'];

function checkUrl(url: string, where: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'https:')
    throw new ConfigError(`${where}: ${JSON.stringify(url)}: URL scheme must be https`);
  if (parsed.username || parsed.search || parsed.hash)
    throw new ConfigError(`${where}: must have no user, query or fragment`);
}

/** `a=b` pairs. */
function pairsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1)
        throw new ConfigError(`--oidc-required-claim: ${JSON.stringify(pair)}: must be key=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function fromFlags(options: ApiServerOptions): JwtIssuer[] {
  const { oidcIssuerUrl: url, oidcClientId: client, oidcCaFile: caFile } = options;
  if (url === '' && client === '') return [];
  if (url === '' || client === '')
    throw new ConfigError('--oidc-issuer-url and --oidc-client-id must be specified together');
  checkUrl(url, '--oidc-issuer-url');
  const { oidcUsernameClaim: claim, oidcUsernamePrefix: given } = options;
  const implied = claim === 'email' ? '' : `${url}#`;
  const groups = options.oidcGroupsClaim;
  return [
    {
      url,
      audiences: [client],
      algorithms: options.oidcSigningAlgs,
      username: { claim, prefix: given === '-' ? '' : given || implied },
      ...(groups ? { groups: { claim: groups, prefix: options.oidcGroupsPrefix } } : {}),
      requiredClaims: pairsOf(options.oidcRequiredClaim),
      ...(caFile ? { ca: readFileSync(caFile, 'utf8') } : {}),
    },
  ];
}

/** All algorithms that upstream takes from a configuration file. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
];

/** Reads one entry of `jwt`; what needs expressions is refused by its field. */
class IssuerReader {
  constructor(
    private readonly entry: Mapping,
    private readonly at: string,
  ) {}

  read(): JwtIssuer {
    for (const field of ['userValidationRules'] as const)
      if (this.listOf(this.entry, field).length > 0) this.fail(field, 'is not modelled');
    const issuer = this.mapping(this.entry, 'issuer');
    const url = this.text(issuer, 'issuer.url') ?? this.fail('issuer.url', 'Required value');
    checkUrl(url, `${this.at}.issuer.url`);
    const audiences = this.listOf(issuer, 'audiences').map(String);
    if (audiences.length === 0) this.fail('issuer.audiences', 'at least one is required');
    const discoveryUrl = this.text(issuer, 'issuer.discoveryURL');
    const ca = this.text(issuer, 'issuer.certificateAuthority');
    const mappings = this.mapping(this.entry, 'claimMappings');
    if (this.listOf(mappings, 'extra').length > 0)
      this.fail('claimMappings.extra', 'is not modelled');
    const groups = mappings['groups'] === undefined ? undefined : this.claim(mappings, 'groups');
    const uid = mappings['uid'] === undefined ? undefined : this.claim(mappings, 'uid');
    return {
      url,
      audiences,
      algorithms: ALGORITHMS,
      username: this.claim(mappings, 'username'),
      requiredClaims: this.required(),
      ...(discoveryUrl ? { discoveryUrl } : {}),
      ...(ca ? { ca } : {}),
      ...(groups ? { groups } : {}),
      ...(uid ? { uid: uid.claim } : {}),
    };
  }

  private claim(mappings: Mapping, field: string): PrefixedClaim {
    const given = this.mapping(mappings, field);
    if (given['expression']) this.fail(`claimMappings.${field}.expression`, 'is not modelled');
    const { claim, prefix } = given;
    if (typeof claim !== 'string' || claim === '')
      return this.fail(`claimMappings.${field}.claim`, 'Required value');
    if (typeof prefix !== 'string' && field !== 'uid')
      return this.fail(`claimMappings.${field}.prefix`, 'Required value');
    return { claim, prefix: typeof prefix === 'string' ? prefix : '' };
  }

  private required(): Record<string, string> {
    return Object.fromEntries(
      this.listOf(this.entry, 'claimValidationRules').map((rule, i) => {
        const { claim, requiredValue, expression } = isMapping(rule) ? rule : {};
        if (expression || typeof claim !== 'string')
          return this.fail(`claimValidationRules[${i}].expression`, 'is not modelled');
        return [claim, typeof requiredValue === 'string' ? requiredValue : ''];
      }),
    );
  }

  private mapping(from: Mapping, field: string): Mapping {
    const value = from[field] ?? {};
    return isMapping(value) ? value : this.fail(field, 'must be a mapping');
  }

  private listOf(from: Mapping, field: string): unknown[] {
    const value = from[field] ?? [];
    return Array.isArray(value) ? (value as unknown[]) : this.fail(field, 'must be a list');
  }

  private text(from: Mapping, path: string): string | undefined {
    const value = from[path.slice(path.lastIndexOf('.') + 1)];
    if (value === undefined || value === null || value === '') return undefined;
    return typeof value === 'string' ? value : this.fail(path, 'must be a string');
  }

  private fail(field: string, why: string): never {
    throw new ConfigError(`${this.at}.${field}: ${why}`);
  }
}

function fromFile(path: string): JwtConfiguration {
  const source = `--authentication-config: ${path}`;
  let root: unknown;
  try {
    root = parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${source}: ${why}`, { cause: error });
  }
  if (!isMapping(root) || root['kind'] !== 'AuthenticationConfiguration')
    throw new ConfigError(`${source}: kind must be AuthenticationConfiguration`);
  if (!VERSIONS.some((version) => version === root['apiVersion']))
    throw new ConfigError(`${source}: apiVersion must be one of ${VERSIONS.join(', ')}`);
  const entries = root['jwt'] ?? [];
  if (!Array.isArray(entries)) throw new ConfigError(`${source}: jwt: must be a list`);
  const { anonymous } = root;
  const enabled = isMapping(anonymous) ? anonymous['enabled'] === true : undefined;
  if (isMapping(anonymous) && Array.isArray(anonymous['conditions']))
    throw new ConfigError(`${source}: anonymous.conditions: is not modelled`);
  return {
    issuers: (entries as unknown[]).map((entry, i) =>
      new IssuerReader(isMapping(entry) ? entry : {}, `${source}: jwt[${i}]`).read(),
    ),
    ...(enabled === undefined ? {} : { anonymous: enabled }),
  };
}

/** Issuers of JSON web tokens, by --authentication-config or the --oidc flags. Throws ConfigError. */
export function jwtConfigurationOf(options: ApiServerOptions): JwtConfiguration {
  const issuers = fromFlags(options);
  if (options.authenticationConfig === '') return { issuers };
  if (issuers.length > 0)
    throw new ConfigError('--authentication-config and --oidc-* are mutually exclusive');
  return fromFile(options.authenticationConfig);
}
