import type { KubeObject } from '@orrery/apimachinery';
import { StatusError, applyJsonPatch, newInternalError } from '@orrery/apimachinery';
import type { MutatingWebhook } from '@orrery/api';
import type { Logger } from '@orrery/component';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import { Passes, replaceObject } from '../matching/passes.js';
import { isExempt } from '../matching/request-matcher.js';
import { convertBetween } from '../matching/versioned-object.js';
import type { ReviewSubject } from '../webhook/admission-review.js';
import { shapeFor } from '../webhook/admission-review.js';
import type { WebhookCaller } from '../webhook/call-webhook.js';
import { CallingFailure, failedClosed } from '../webhook/call-webhook.js';
import type { WebhookMatcher } from '../webhook/webhook-matcher.js';
import type { ConfiguredWebhook, WebhookSource } from '../webhook/webhook-source.js';

export interface MutatingWebhooksDeps {
  readonly source: WebhookSource<MutatingWebhook>;
  readonly matcher: WebhookMatcher;
  readonly caller: WebhookCaller;
  readonly logger: Logger;
}

const PREFIX = 'webhook.admission.k8s.io/';

/** Asks the webhooks of MutatingWebhookConfigurations, one after the other, and applies their patches. */
export class MutatingWebhooks implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionWebhook';

  constructor(private readonly deps: MutatingWebhooksDeps) {}

  handles(): boolean {
    return true;
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const webhooks = this.deps.source.all();
    if (webhooks.length === 0 || isExempt(attributes)) return;
    const passes = Passes.of(attributes, this.name);
    for (const [index, configured] of webhooks.entries())
      await this.#one(attributes, configured, index, passes);
    await passes.end();
  }

  async #one(
    attributes: AdmissionAttributes,
    configured: ConfiguredWebhook<MutatingWebhook>,
    index: number,
    passes: Passes,
  ): Promise<void> {
    const { webhook, uid } = configured;
    const { reinvocation, context } = attributes;
    const isReinvoke = reinvocation?.isReinvoke ?? false;
    const kind = await this.deps.matcher.kindFor(webhook, attributes);
    if (!kind || !passes.has(uid)) return;
    const key = `round_${isReinvoke ? 1 : 0}_index_${index}`;
    let changed = false;
    try {
      changed = await this.#call({ attributes, kind }, configured, key);
    } catch (error) {
      if (!(error instanceof CallingFailure)) throw error;
      if (webhook.failurePolicy !== 'Ignore') throw failedClosed(error);
      this.deps.logger.warn('webhook failed open', {
        webhook: webhook.name,
        reason: error.message,
      });
      context.annotate?.(`failed-open.mutation.${PREFIX}${key}`, webhook.name);
    }
    if (changed) passes.changed();
    if (webhook.reinvocationPolicy === 'IfNeeded') passes.willLookAgain(uid);
  }

  async #call(
    subject: ReviewSubject,
    { webhook, configuration }: ConfiguredWebhook<MutatingWebhook>,
    key: string,
  ): Promise<boolean> {
    const { context } = subject.attributes;
    const told = { configuration, webhook: webhook.name };
    let mutated = false;
    try {
      const { patch } = await this.deps.caller.call(webhook, subject, true);
      const steps = patch === undefined ? [] : readPatch(webhook.name, patch);
      if (steps.length === 0) return false;
      mutated = applyTo(subject, webhook.name, steps);
      const shown = JSON.stringify({ ...told, patch: steps, patchType: 'JSONPatch' });
      context.annotate?.(`patch.${PREFIX}${key}`, shown, 'Request');
      return mutated;
    } finally {
      context.annotate?.(`mutation.${PREFIX}${key}`, JSON.stringify({ ...told, mutated }));
    }
  }
}

function readPatch(webhook: string, patch: string): unknown[] {
  try {
    const steps: unknown = JSON.parse(patch);
    if (Array.isArray(steps)) return steps;
    throw new TypeError('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CallingFailure(
      webhook,
      `received undecodable patch in webhook response: ${why}`,
      error,
    );
  }
}

/** What does not fit the object tells so by its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof StatusError)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** Patches the object of the request in place; true when that changed it. */
function applyTo(subject: ReviewSubject, webhook: string, steps: readonly unknown[]): boolean {
  const { attributes, kind } = subject;
  const { object } = attributes;
  if (!object)
    throw newInternalError(
      `admission webhook ${JSON.stringify(webhook)} attempted to modify the object, which is not supported for this operation`,
    );
  const shaped = shapeFor(subject, object) ?? object;
  let patched: KubeObject;
  try {
    patched = applyJsonPatch(shaped, steps) as KubeObject;
  } catch (error) {
    throw newInternalError(reasonOf(error), error);
  }
  if (typeof patched !== 'object' || patched === null || typeof patched.metadata !== 'object')
    throw newInternalError('the patched object is no object');
  const changed = !equalJson(shaped, patched);
  if (attributes.objectKind) {
    replaceObject(object, patched);
    return changed;
  }
  kind.setDefaults?.(patched);
  replaceObject(object, convertBetween(patched, kind, attributes.kind));
  return changed;
}
