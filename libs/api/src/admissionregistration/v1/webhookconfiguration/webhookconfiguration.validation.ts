import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, duplicate, invalid, required } from '@orrery/apimachinery';
import type {
  MutatingWebhook,
  ValidatingWebhook,
} from '../../../gen/types/admissionregistration.v1.js';
import { supported } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { check, dns1035Label, dnsSubdomain } from '../../../meta/names.js';
import { validateMatchConditions } from '../policy/match-conditions.validation.js';
import { validateClientConfig } from './client-config.validation.js';
import { validateRule } from './rule.validation.js';

export type Webhook = MutatingWebhook | ValidatingWebhook;

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

const REVIEW_VERSIONS = ['v1', 'v1beta1'];

function validateReviewVersions(
  versions: readonly string[],
  path: Path,
  mayBeUnknown: boolean,
): FieldError[] {
  const known = REVIEW_VERSIONS.join(', ');
  if (versions.length === 0) return [required(path, `must specify one of ${known}`)];
  const seen = new Set<string>();
  const findings = versions.flatMap((version, i) => {
    if (seen.has(version)) return [invalid(path.index(i), version, 'duplicate version')];
    seen.add(version);
    return check(dns1035Label, version, path.index(i));
  });
  return [
    ...findings,
    ...when(
      !mayBeUnknown && !REVIEW_VERSIONS.some((version) => seen.has(version)),
      invalid(path, versions, `must include at least one of ${known}`),
    ),
  ];
}

/** k8s apimachinery pkg/util/validation:IsFullyQualifiedName. */
function validateName(name: string, path: Path): FieldError[] {
  if (name === '') return [required(path)];
  const found = dnsSubdomain(name);
  if (found.length > 0) return [invalid(path, name, found.join(','))];
  const text = 'should be a domain with at least three segments separated by dots';
  return when(name.split('.').length < 3, invalid(path, name, text));
}

const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const ALL_SIDE_EFFECTS = [...SIDE_EFFECTS, 'Some', 'Unknown'];

/** What an update lets pass because it is stored already (same file:validationOptions). */
interface Leniency {
  readonly sideEffects: boolean;
  readonly reviewVersions: boolean;
  readonly names: boolean;
  readonly selectors: boolean;
  readonly conditions: boolean;
}

const STRICT: Leniency = {
  sideEffects: false,
  reviewVersions: false,
  names: false,
  selectors: false,
  conditions: false,
};

const isKnown = (version: string): boolean => REVIEW_VERSIONS.includes(version);

const conditionsOf = (webhooks: readonly Webhook[]): unknown =>
  webhooks.map(({ matchConditions }) => list(matchConditions));

const leniencyOf = (webhooks: readonly Webhook[], old: readonly Webhook[]): Leniency => ({
  sideEffects: old.some(({ sideEffects }) => !SIDE_EFFECTS.includes(sideEffects)),
  reviewVersions: old.some(
    ({ admissionReviewVersions: versions }) =>
      list(versions).length > 0 && !list(versions).some(isKnown),
  ),
  names: new Set(old.map(({ name }) => name)).size < old.length,
  selectors: old.some(({ namespaceSelector, objectSelector }) =>
    [namespaceSelector, objectSelector].some(
      (selector) => validateLabelSelector(selector, FieldPath.of('selector')).length > 0,
    ),
  ),
  conditions: isDeepEqual(conditionsOf(webhooks), conditionsOf(old)),
});

function validateWebhook(webhook: Webhook, path: Path, lenient: Leniency): FieldError[] {
  const allowed = lenient.sideEffects ? ALL_SIDE_EFFECTS : SIDE_EFFECTS;
  const seconds = webhook.timeoutSeconds ?? 10;
  const effects = path.child('sideEffects');
  return [
    ...validateName(String(webhook.name ?? ''), path.child('name')),
    ...eachOf(webhook.rules, (rule, i) => validateRule(rule, path.child('rules').index(i))),
    ...supported(webhook.failurePolicy, ['Fail', 'Ignore'], path.child('failurePolicy')),
    ...supported(webhook.matchPolicy, ['Equivalent', 'Exact'], path.child('matchPolicy')),
    ...when(
      (webhook.sideEffects ?? undefined) === undefined,
      required(effects, `must specify one of ${allowed.join(', ')}`),
    ),
    ...supported(webhook.sideEffects, allowed, effects),
    ...when(
      seconds < 1 || seconds > MAX_TIMEOUT_SECONDS,
      invalid(
        path.child('timeoutSeconds'),
        seconds,
        'the timeout value must be between 1 and 30 seconds',
      ),
    ),
    ...(['namespaceSelector', 'objectSelector'] as const).flatMap((field) =>
      validateLabelSelector(webhook[field], path.child(field), lenient.selectors),
    ),
    ...('reinvocationPolicy' in webhook
      ? supported(
          webhook.reinvocationPolicy,
          ['IfNeeded', 'Never'],
          path.child('reinvocationPolicy'),
        )
      : []),
    ...validateClientConfig(webhook.clientConfig, path.child('clientConfig')),
    ...(lenient.conditions
      ? []
      : validateMatchConditions(webhook.matchConditions, path.child('matchConditions'), false)),
    ...validateReviewVersions(
      list(webhook.admissionReviewVersions),
      path.child('admissionReviewVersions'),
      lenient.reviewVersions,
    ),
  ];
}

/** k8s pkg/apis/admissionregistration/validation/validation.go; `old` are those of the stored object. */
export function validateWebhooks(
  given: readonly Webhook[] | undefined,
  old?: readonly Webhook[],
): FieldError[] {
  const webhooks = list(given);
  const lenient = old ? leniencyOf(webhooks, old) : STRICT;
  const path = FieldPath.of('webhooks');
  const names = new Set<string>();
  return webhooks.flatMap((webhook, i) => {
    const repeated = !lenient.names && Boolean(webhook.name) && names.has(webhook.name);
    names.add(webhook.name);
    return [
      ...validateWebhook(webhook, path.index(i), lenient),
      ...(repeated ? [duplicate(path.index(i).child('name'), webhook.name)] : []),
    ];
  });
}
