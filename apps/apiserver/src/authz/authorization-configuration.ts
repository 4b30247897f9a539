import { loadKubeconfig } from '@orrery/client';
import { ConfigError, parseDuration } from '@orrery/component';
import { isMapping, readDocument } from '../config/configuration-file.js';
import type { Mapping } from '../config/configuration-file.js';
import type { ApiServerOptions } from '../config/options.js';
import { readFlagFile } from '../config/tls.js';
import { aboutAccess } from '../expressions/claims.js';
import type { Expression } from '../expressions/expression.js';
import { ExpressionError } from '../expressions/expression.js';
import { toHookTarget } from '../webhooks/kubeconfig-target.js';
import type { WebhookAuthorizerOptions } from './webhook.authorizer.js';

/** One authorizer of the chain: a built-in one by its mode, or a webhook. */
export type ConfiguredAuthorizer =
  | { readonly mode: string }
  | { readonly mode: 'Webhook'; readonly webhook: WebhookAuthorizerOptions };

const VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.config.k8s.io/v1beta1'];
const TIMEOUT_MS = 30_000;

/** Reads one webhook of an AuthorizationConfiguration; each problem names its field. */
class WebhookReader {
  constructor(
    private readonly name: string,
    private readonly given: Mapping,
    private readonly at: string,
  ) {}

  read(): WebhookAuthorizerOptions {
    const { given } = this;
    const policy = given['failurePolicy'];
    if (policy !== 'NoOpinion' && policy !== 'Deny')
      this.fail('failurePolicy', 'must be NoOpinion or Deny');
    const connection = given['connectionInfo'];
    const info = isMapping(connection) ? connection : {};
    const file = info['kubeConfigFile'];
    if (info['type'] !== 'KubeConfigFile' || typeof file !== 'string')
      return this.fail(
        'connectionInfo',
        'only type KubeConfigFile with kubeConfigFile is modelled',
      );
    return {
      name: this.name,
      target: toHookTarget(loadKubeconfig(file)),
      version: given['subjectAccessReviewVersion'] === 'v1beta1' ? 'v1beta1' : 'v1',
      timeoutMs: this.duration('timeout', TIMEOUT_MS),
      authorizedTtlMs: this.duration('authorizedTTL', 300_000),
      unauthorizedTtlMs: this.duration('unauthorizedTTL', 30_000),
      onFailure: policy === 'Deny' ? 'Deny' : 'NoOpinion',
      conditions: this.conditions(),
    };
  }

  private conditions(): Expression[] {
    const { matchConditions = [], matchConditionSubjectAccessReviewVersion: version } = this.given;
    if (!Array.isArray(matchConditions)) return this.fail('matchConditions', 'must be a list');
    if (matchConditions.length > 0 && version !== 'v1')
      this.fail(
        'matchConditionSubjectAccessReviewVersion',
        version ? 'must be v1' : 'required if match conditions are specified',
      );
    return (matchConditions as unknown[]).map((one, i) => {
      const expression = isMapping(one) ? one['expression'] : undefined;
      const at = `matchConditions[${i}].expression`;
      if (typeof expression !== 'string' || expression === '')
        return this.fail(at, 'Required value');
      try {
        return aboutAccess(expression);
      } catch (error) {
        if (error instanceof ExpressionError) return this.fail(at, error.message);
        throw error;
      }
    });
  }

  private duration(field: string, fallback: number): number {
    const value = this.given[field];
    if (value === undefined || value === null) return fallback;
    const ms = typeof value === 'string' ? parseDuration(value) : undefined;
    return ms ?? this.fail(field, 'must be a duration such as 30s');
  }

  private fail(field: string, why: string): never {
    throw new ConfigError(`${this.at}.webhook.${field}: ${why}`);
  }
}

/** An AuthorizationConfiguration; `path` names it in what is wrong with it. Throws ConfigError. */
export function authorizationConfigurationOf(text: string, path: string): ConfiguredAuthorizer[] {
  const source = `--authorization-config: ${path}`;
  const { authorizers } = readDocument(text, 'AuthorizationConfiguration', VERSIONS, source);
  if (!Array.isArray(authorizers) || authorizers.length === 0)
    throw new ConfigError(
      `${source}: authorizers: at least one authorization mode must be defined`,
    );
  return (authorizers as unknown[]).map((one, i) => {
    const at = `${source}: authorizers[${i}]`;
    if (!isMapping(one) || typeof one['type'] !== 'string')
      throw new ConfigError(`${at}.type: Required value`);
    if (one['type'] !== 'Webhook') return { mode: one['type'] };
    const webhook = isMapping(one['webhook']) ? one['webhook'] : {};
    const name = typeof one['name'] === 'string' ? one['name'] : '';
    return { mode: 'Webhook', webhook: new WebhookReader(name, webhook, at).read() };
  });
}

/** The chain that the flags ask for. */
export function authorizersOf(options: ApiServerOptions): ConfiguredAuthorizer[] {
  if (options.authorizationConfig !== '') {
    const asked = options.authorizationMode.join();
    if (asked !== 'AlwaysAllow' || options.authorizationWebhookConfigFile !== '')
      throw new ConfigError(
        '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
      );
    const path = options.authorizationConfig;
    const text = readFlagFile('authorization-config', path).toString('utf8');
    return authorizationConfigurationOf(text, path);
  }
  const file = options.authorizationWebhookConfigFile;
  return options.authorizationMode.map((mode) => {
    if (mode !== 'Webhook') return { mode };
    if (file === '')
      throw new ConfigError(
        '--authorization-mode: mode Webhook needs --authorization-webhook-config-file',
      );
    return {
      mode,
      webhook: {
        name: 'default',
        target: toHookTarget(loadKubeconfig(file)),
        version: options.authorizationWebhookVersion,
        timeoutMs: TIMEOUT_MS,
        authorizedTtlMs: parseDuration(options.authorizationWebhookCacheAuthorizedTtl) ?? 0,
        unauthorizedTtlMs: parseDuration(options.authorizationWebhookCacheUnauthorizedTtl) ?? 0,
        onFailure: 'NoOpinion',
      },
    };
  });
}
