import type {
  KindDescriptor,
  MatchCondition,
  MutatingWebhook,
  ValidatingWebhook,
} from '@orrery/api';
import type { AdmissionAttributes } from '@orrery/registry';
import type { RequestMatcher } from '../matching/request-matcher.js';

/** Decides about `matchConditions`: false when one is false; throws a StatusError when one fails and that must refuse. */
export interface MatchConditionsEvaluator {
  matches(
    conditions: readonly MatchCondition[],
    failurePolicy: 'Fail' | 'Ignore',
    request: {
      readonly attributes: AdmissionAttributes;
      readonly kind: KindDescriptor;
      /** Name of the webhook, and what it does. */
      readonly webhook: string;
      readonly type: 'admit' | 'validate';
    },
  ): Promise<boolean>;
}

/** Says whether a webhook is to be asked, and as which kind it wants to see the object (k8s …/webhook/generic/webhook.go:ShouldCallHook). */
export class WebhookMatcher {
  constructor(
    private readonly requests: RequestMatcher,
    private readonly conditions: MatchConditionsEvaluator,
  ) {}

  async kindFor(
    webhook: MutatingWebhook | ValidatingWebhook,
    attributes: AdmissionAttributes,
  ): Promise<KindDescriptor | undefined> {
    const { namespaceSelector, objectSelector, matchPolicy, rules = [] } = webhook;
    if (rules.length === 0) return undefined;
    const kind = await this.requests.match(attributes, {
      resourceRules: rules,
      ...(namespaceSelector ? { namespaceSelector } : {}),
      ...(objectSelector ? { objectSelector } : {}),
      ...(matchPolicy ? { matchPolicy } : {}),
    });
    const { matchConditions = [], failurePolicy = 'Fail' } = webhook;
    if (!kind || matchConditions.length === 0) return kind;
    const type = 'reinvocationPolicy' in webhook ? 'admit' : 'validate';
    const request = { attributes, kind, webhook: webhook.name, type } as const;
    return (await this.conditions.matches(matchConditions, failurePolicy, request))
      ? kind
      : undefined;
  }
}
