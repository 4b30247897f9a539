import { newTimeout } from '@orrery/apimachinery';
import type { KindDescriptor, ValidatingWebhook } from '@orrery/api';
import type { Logger } from '@orrery/component';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import { isExempt } from '../matching/request-matcher.js';
import type { WebhookCaller } from '../webhook/call-webhook.js';
import { CallingFailure, failedClosed } from '../webhook/call-webhook.js';
import type { WebhookMatcher } from '../webhook/webhook-matcher.js';
import type { WebhookSource } from '../webhook/webhook-source.js';

export interface ValidatingWebhooksDeps {
  readonly source: WebhookSource<ValidatingWebhook>;
  readonly matcher: WebhookMatcher;
  readonly caller: WebhookCaller;
  readonly logger: Logger;
}

interface Invocation {
  readonly webhook: ValidatingWebhook;
  readonly kind: KindDescriptor;
}

/** Asks the webhooks of ValidatingWebhookConfigurations, all at once; the first refusal counts. */
export class ValidatingWebhooks implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionWebhook';

  constructor(private readonly deps: ValidatingWebhooksDeps) {}

  handles(): boolean {
    return true;
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const webhooks = this.deps.source.all();
    if (webhooks.length === 0 || isExempt(attributes)) return;
    const invocations: Invocation[] = [];
    for (const { webhook } of webhooks) {
      const kind = await this.deps.matcher.kindFor(webhook, attributes);
      if (kind) invocations.push({ webhook, kind });
    }
    if (invocations.length === 0) return;
    if (attributes.context.signal.aborted)
      throw newTimeout('request did not complete within requested timeout');
    const answers = await Promise.allSettled(
      invocations.map((invocation, index) => this.#one(attributes, invocation, index)),
    );
    const refused = answers.find((answer) => answer.status === 'rejected');
    if (refused) throw refused.reason as Error;
  }

  async #one(
    attributes: AdmissionAttributes,
    { webhook, kind }: Invocation,
    index: number,
  ): Promise<void> {
    try {
      await this.deps.caller.call(webhook, { attributes, kind }, false);
    } catch (error) {
      if (!(error instanceof CallingFailure)) throw error;
      if (webhook.failurePolicy !== 'Ignore') throw failedClosed(error);
      this.deps.logger.warn('webhook failed open', {
        webhook: webhook.name,
        reason: error.message,
      });
      attributes.context.annotate?.(
        `failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`,
        webhook.name,
      );
    }
  }
}
