import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, duplicate, invalid, required } from '@orrery/apimachinery';
import type {
  MutatingWebhook,
  RuleWithOperations,
  ValidatingWebhook,
  WebhookClientConfig,
} from '../../../gen/types/admissionregistration.v1.js';
import { oneOf } from '../../../meta/fields.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsSubdomain } from '../../../meta/names.js';

export type Webhook = MutatingWebhook | ValidatingWebhook;

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const MAX_TIMEOUT_SECONDS = 30;

/** k8s pkg/apis/admissionregistration/v1/defaults.go. */
export function setWebhookDefaults(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  for (const rule of list(webhook.rules)) rule.scope ??= '*';
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
}

/** Also for the rules of policies. */
export function validateRule(rule: RuleWithOperations, path: Path): FieldError[] {
  return [
    ...(list(rule.operations).length === 0 ? [required(path.child('operations'))] : []),
    ...eachOf(rule.operations, (operation, i) =>
      oneOf(operation, OPERATIONS, path.child('operations').index(i)),
    ),
    ...(['apiGroups', 'apiVersions', 'resources'] as const).flatMap((field) =>
      list(rule[field]).length === 0 ? [required(path.child(field))] : [],
    ),
    ...oneOf(rule.scope, ['*', 'Cluster', 'Namespaced'], path.child('scope'), false),
  ];
}

function validateUrl(url: string, path: Path): FieldError[] {
  if (!URL.canParse(url)) return [invalid(path, url, 'url must be a valid URL')];
  const { protocol, username, search, hash } = new URL(url);
  return [
    ...(protocol === 'https:'
      ? []
      : [invalid(path, protocol.replace(':', ''), "'https' is the only allowed URL scheme")]),
    ...(username ? [invalid(path, username, 'user information is not permitted in the URL')] : []),
    ...(search ? [invalid(path, search, 'query parameters are not permitted in the URL')] : []),
    ...(hash ? [invalid(path, hash, 'fragments are not permitted in the URL')] : []),
  ];
}

/** Also for the conversion webhooks of CustomResourceDefinitions. */
export function validateClientConfig(
  config: WebhookClientConfig | undefined,
  path: Path,
): FieldError[] {
  const { url, service } = config ?? {};
  if ((url === undefined) === (service === undefined)) {
    return [required(path, 'exactly one of url or service is required')];
  }
  if (url !== undefined) return validateUrl(url, path.child('url'));
  return [
    ...(service?.name ? [] : [required(path.child('service', 'name'))]),
    ...(service?.namespace ? [] : [required(path.child('service', 'namespace'))]),
  ];
}

function validateWebhook(webhook: Webhook, path: Path): FieldError[] {
  const seconds = webhook.timeoutSeconds ?? 10;
  const isQualified = String(webhook.name ?? '').split('.').length >= 3;
  return [
    ...check(dnsSubdomain, webhook.name, path.child('name')),
    ...(isQualified
      ? []
      : [
          invalid(
            path.child('name'),
            webhook.name ?? '',
            'should be a domain with at least three segments separated by dots',
          ),
        ]),
    ...eachOf(webhook.rules, (rule, i) => validateRule(rule, path.child('rules').index(i))),
    ...oneOf(webhook.failurePolicy, ['Fail', 'Ignore'], path.child('failurePolicy'), false),
    ...oneOf(webhook.matchPolicy, ['Equivalent', 'Exact'], path.child('matchPolicy'), false),
    ...oneOf(webhook.sideEffects, ['None', 'NoneOnDryRun'], path.child('sideEffects')),
    ...(seconds < 1 || seconds > MAX_TIMEOUT_SECONDS
      ? [
          invalid(
            path.child('timeoutSeconds'),
            seconds,
            'the timeout value must be between 1 and 30 seconds',
          ),
        ]
      : []),
    ...validateLabelSelector(webhook.namespaceSelector, path.child('namespaceSelector')),
    ...validateLabelSelector(webhook.objectSelector, path.child('objectSelector')),
    ...validateClientConfig(webhook.clientConfig, path.child('clientConfig')),
    ...(list(webhook.admissionReviewVersions).length === 0
      ? [required(path.child('admissionReviewVersions'), 'must specify one of v1, v1beta1')]
      : []),
  ];
}

/** k8s pkg/apis/admissionregistration/validation/validation.go. */
export function validateWebhooks(webhooks: readonly Webhook[] | undefined): FieldError[] {
  const path = FieldPath.of('webhooks');
  const names = new Set<string>();
  return list(webhooks).flatMap((webhook, i) => {
    const repeated = names.has(webhook.name);
    names.add(webhook.name);
    return [
      ...validateWebhook(webhook, path.index(i)),
      ...(repeated ? [duplicate(path.index(i).child('name'), webhook.name)] : []),
    ];
  });
}
