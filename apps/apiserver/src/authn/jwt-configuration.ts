import { readFileSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import { isMapping, readDocument } from '../config/configuration-file.js';
import type { Mapping } from '../config/configuration-file.js';
import type { ApiServerOptions } from '../config/options.js';
import { readFlagFile } from '../config/tls.js';
import { aboutClaims, aboutUser } from '../expressions/claims.js';
import type { Expression } from '../expressions/expression.js';
import { ExpressionError } from '../expressions/expression.js';
import type {
  ClaimExpression,
  JwtIssuer,
  PrefixedClaim,
  ValidationRule,
} from './jwt.authenticator.js';

export interface JwtConfiguration {
  readonly issuers: readonly JwtIssuer[];
  /** What the file says in place of --anonymous-auth. */
  readonly anonymous?: boolean;
  /** Where alone strangers are let in. */
  readonly anonymousPaths?: readonly string[];
}

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

/** Reads one entry of `jwt`; each problem names its field. */
class IssuerReader {
  constructor(
    private readonly entry: Mapping,
    private readonly at: string,
  ) {}

  read(): JwtIssuer {
    const issuer = this.mapping(this.entry, 'issuer');
    const url = this.text(issuer, 'issuer.url') ?? this.fail('issuer.url', 'Required value');
    checkUrl(url, `${this.at}.issuer.url`);
    const audiences = this.listOf(issuer, 'audiences').map(String);
    if (audiences.length === 0) this.fail('issuer.audiences', 'at least one is required');
    const discoveryUrl = this.text(issuer, 'issuer.discoveryURL');
    const ca = this.text(issuer, 'issuer.certificateAuthority');
    const mappings = this.mapping(this.entry, 'claimMappings');
    const groups = mappings['groups'] === undefined ? undefined : this.claim(mappings, 'groups');
    const uid = mappings['uid'] === undefined ? undefined : this.claim(mappings, 'uid');
    const username = this.claim(mappings, 'username');
    const verifies = this.sources.some((source) => source.includes('claims.email_verified'));
    if (
      'expression' in username &&
      username.expression.source.includes('claims.email') &&
      !verifies
    )
      this.fail(
        'claimMappings.username.expression',
        'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
      );
    return {
      url,
      audiences,
      algorithms: ALGORITHMS,
      username,
      requiredClaims: this.required(),
      ...(discoveryUrl ? { discoveryUrl } : {}),
      ...(ca ? { ca } : {}),
      ...(groups ? { groups } : {}),
      ...(uid ? { uid: 'expression' in uid ? uid : uid.claim } : {}),
      extra: this.extra(mappings),
      claimRules: this.rules('claimValidationRules', (source) => aboutClaims(source, ['bool'])),
      userRules: this.rules('userValidationRules', aboutUser),
    };
  }

  /** Every expression about claims. */
  private get sources(): string[] {
    const mappings = this.mapping(this.entry, 'claimMappings');
    const expressions = [
      this.mapping(mappings, 'username')['expression'],
      ...this.listOf(mappings, 'extra').map((one) => isMapping(one) && one['valueExpression']),
      ...this.listOf(this.entry, 'claimValidationRules').map(
        (one) => isMapping(one) && one['expression'],
      ),
    ];
    return expressions.filter((one) => typeof one === 'string');
  }

  private compiled(field: string, make: () => Expression): Expression {
    try {
      return make();
    } catch (error) {
      if (error instanceof ExpressionError) return this.fail(field, error.message);
      throw error;
    }
  }

  private claim(mappings: Mapping, field: string): PrefixedClaim | ClaimExpression {
    const given = this.mapping(mappings, field);
    const { claim, prefix, expression } = given;
    if (typeof expression === 'string' && expression !== '') {
      const at = `claimMappings.${field}`;
      if (claim) this.fail(at, "claim and expression can't both be set");
      if (prefix !== undefined)
        this.fail(`${at}.prefix`, 'may not be specified when expression is set');
      const wanted = field === 'groups' ? ['string', 'list(string)'] : ['string'];
      return {
        expression: this.compiled(`${at}.expression`, () => aboutClaims(expression, wanted)),
      };
    }
    if (typeof claim !== 'string' || claim === '')
      return this.fail(`claimMappings.${field}.claim`, 'Required value');
    if (typeof prefix !== 'string' && field !== 'uid')
      return this.fail(`claimMappings.${field}.prefix`, 'Required value');
    return { claim, prefix: typeof prefix === 'string' ? prefix : '' };
  }

  private required(): Record<string, string> {
    return Object.fromEntries(
      this.listOf(this.entry, 'claimValidationRules').flatMap((rule, i) => {
        const { claim, requiredValue, expression } = isMapping(rule) ? rule : {};
        const at = `claimValidationRules[${i}]`;
        if (claim && expression) return this.fail(at, "claim and expression can't both be set");
        if (expression) return [];
        if (typeof claim !== 'string' || claim === '')
          return this.fail(at, 'claim or expression is required');
        return [[claim, typeof requiredValue === 'string' ? requiredValue : ''] as const];
      }),
    );
  }

  /** The rules that are expressions. */
  private rules(field: string, compile: (source: string) => Expression): ValidationRule[] {
    return this.listOf(this.entry, field).flatMap((rule, i) => {
      const { expression, message, claim } = isMapping(rule) ? rule : {};
      if (claim) return [];
      const at = `${field}[${i}].expression`;
      if (typeof expression !== 'string' || expression === '')
        return this.fail(at, 'Required value');
      const made = this.compiled(at, () => compile(expression));
      return [{ expression: made, message: typeof message === 'string' ? message : '' }];
    });
  }

  private extra(mappings: Mapping): (ClaimExpression & { key: string })[] {
    const seen = new Set<string>();
    return this.listOf(mappings, 'extra').map((one, i) => {
      const { key, valueExpression } = isMapping(one) ? one : {};
      const at = `claimMappings.extra[${i}]`;
      if (typeof key !== 'string' || !/^[^/]+\/.+$/.test(key))
        return this.fail(`${at}.key`, 'must be a domain-prefixed path (such as "acme.io/foo")');
      if (key !== key.toLowerCase()) return this.fail(`${at}.key`, 'must be lowercase');
      if (/(^|\.)(k8s|kubernetes)\.io\//.test(key))
        return this.fail(
          `${at}.key`,
          'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
        );
      if (seen.has(key)) return this.fail(`${at}.key`, `Duplicate value: ${JSON.stringify(key)}`);
      seen.add(key);
      if (typeof valueExpression !== 'string' || valueExpression === '')
        return this.fail(`${at}.valueExpression`, 'Required value');
      const wanted = ['string', 'list(string)'];
      const expression = this.compiled(`${at}.valueExpression`, () =>
        aboutClaims(valueExpression, wanted),
      );
      return { key, expression };
    });
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

/** The paths at which strangers are let in: those of `anonymous.conditions`; undefined = all. */
function pathsOf(anonymous: unknown, source: string): string[] | undefined {
  const conditions = isMapping(anonymous) ? anonymous['conditions'] : undefined;
  if (!isMapping(anonymous) || !Array.isArray(conditions) || conditions.length === 0)
    return undefined;
  if (anonymous['enabled'] !== true)
    throw new ConfigError(
      `${source}: anonymous.conditions: enabled should be set to true when conditions are defined`,
    );
  return (conditions as unknown[]).map((one, i) => {
    const path = isMapping(one) ? one['path'] : undefined;
    if (typeof path !== 'string' || path === '')
      throw new ConfigError(`${source}: anonymous.conditions[${i}].path: Required value`);
    return path;
  });
}

/** An AuthenticationConfiguration; `source` names it in what is wrong with it. Throws ConfigError. */
export function authenticationConfigurationOf(text: string, source: string): JwtConfiguration {
  const root = readDocument(text, 'AuthenticationConfiguration', VERSIONS, source);
  const entries = root['jwt'] ?? [];
  if (!Array.isArray(entries)) throw new ConfigError(`${source}: jwt: must be a list`);
  const { anonymous } = root;
  const enabled = isMapping(anonymous) ? anonymous['enabled'] === true : undefined;
  const paths = pathsOf(anonymous, source);
  return {
    issuers: (entries as unknown[]).map((entry, i) =>
      new IssuerReader(isMapping(entry) ? entry : {}, `${source}: jwt[${i}]`).read(),
    ),
    ...(enabled === undefined ? {} : { anonymous: enabled }),
    ...(paths ? { anonymousPaths: paths } : {}),
  };
}

/** Issuers of JSON web tokens, by --authentication-config or the --oidc flags. Throws ConfigError. */
export function jwtConfigurationOf(options: ApiServerOptions): JwtConfiguration {
  const issuers = fromFlags(options);
  if (options.authenticationConfig === '') return { issuers };
  if (issuers.length > 0)
    throw new ConfigError('--authentication-config and --oidc-* are mutually exclusive');
  const path = options.authenticationConfig;
  const text = readFlagFile('authentication-config', path).toString('utf8');
  return authenticationConfigurationOf(text, `--authentication-config: ${path}`);
}
