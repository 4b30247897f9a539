import type { AdmissionMetrics } from '../admission-metrics.js';
import type { Status } from '@orrery/apimachinery';
import { StatusError, newBadRequest, newInternalError } from '@orrery/apimachinery';
import type { MutatingWebhook, ValidatingWebhook } from '@orrery/api';
import type { Clock, Random } from '@orrery/component';
import type { HookPoster, HookTarget } from '../../webhooks/https-post.js';
import { HookError } from '../../webhooks/https-post.js';
import type { ServiceResolver } from '../../webhooks/service-resolver.js';
import type { ReviewAnswer, ReviewCall, ReviewSubject } from './admission-review.js';
import {
  InvalidReview,
  readAdmissionReview,
  reviewVersion,
  toAdmissionReview,
} from './admission-review.js';

export interface WebhookCallerDeps {
  readonly poster: HookPoster;
  readonly resolver: ServiceResolver;
  readonly random: Random;
  readonly metrics: AdmissionMetrics;
  readonly clock: Clock;
}

/** The webhook could not be asked, or did not answer as it must; failurePolicy decides. */
export class CallingFailure extends Error {
  override readonly name = 'CallingFailure';

  constructor(webhook: string, reason: string, cause?: unknown) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${reason}`, { cause });
  }
}

/** The Status of a refusal (k8s …/webhook/errors/statuserror.go:ToStatusErr). */
export function refusalOf(webhook: string, given: Partial<Status> = {}): StatusError {
  const by = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const why = given.message || given.reason;
  const code = Number.isInteger(given.code) && Number(given.code) >= 400 ? Number(given.code) : 400;
  return new StatusError(
    code,
    given.reason ?? '',
    why ? `${by}: ${why}` : `${by} without explanation`,
    given.details ? { details: given.details } : {},
  );
}

/** Why an answer that is no 2xx counts as a failure (k8s client-go rest/request.go:transformResponse); its body is not told. */
function badAnswer(status: number): string {
  if (status >= 300 && status < 400)
    return 'the webhook attempted to redirect this request, which is not permitted';
  if (status === 404) return 'the server could not find the requested resource';
  if (status === 401) return 'the server has asked for the client to provide credentials';
  if (status === 429)
    return 'the server has received too many requests and has asked us to try again later';
  if (status === 503) return 'the server is currently unable to handle the request';
  if (status >= 500)
    return 'an error on the server ("unknown") has prevented the request from succeeding';
  return 'the server rejected our request for an unknown reason';
}

/** Asks webhooks. */
export class WebhookCaller {
  constructor(private readonly deps: WebhookCallerDeps) {}

  /** What the webhook says to the request. Throws CallingFailure, or the StatusError of its refusal. */
  async call(
    webhook: MutatingWebhook | ValidatingWebhook,
    subject: ReviewSubject,
    mutating: boolean,
  ): Promise<ReviewAnswer> {
    const { attributes } = subject;
    if (
      attributes.dryRun &&
      webhook.sideEffects !== 'None' &&
      webhook.sideEffects !== 'NoneOnDryRun'
    )
      throw newBadRequest(
        `admission webhook ${JSON.stringify(webhook.name)} does not support dry run`,
      );
    const version = reviewVersion(webhook.admissionReviewVersions);
    if (version === undefined)
      throw new CallingFailure(
        webhook.name,
        'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
      );
    const uid = this.deps.random.uuid();
    const answer = await this.measured(webhook, subject, { version, uid, mutating });
    const { context } = attributes;
    for (const [key, value] of Object.entries(answer.auditAnnotations))
      context.annotate?.(`${webhook.name}/${key}`, value);
    for (const warning of answer.warnings) context.warn(warning);
    if (!answer.allowed) throw refusalOf(webhook.name, answer.status);
    return answer;
  }

  private async measured(
    webhook: MutatingWebhook | ValidatingWebhook,
    subject: ReviewSubject,
    review: ReviewCall,
  ): Promise<ReviewAnswer> {
    const { metrics, clock } = this.deps;
    const startedAt = clock.monotonic();
    const count = (error?: unknown): void => {
      metrics.called({
        name: webhook.name,
        mutating: review.mutating,
        operation: subject.attributes.operation,
        context: subject.attributes.context,
        startedAt,
        error,
        isCallingFailure: error instanceof CallingFailure,
        failsOpen: webhook.failurePolicy === 'Ignore',
      });
    };
    try {
      const answer = await this.ask(webhook, subject, review);
      count(answer.allowed ? undefined : refusalOf(webhook.name, answer.status));
      return answer;
    } catch (error) {
      count(error);
      throw error;
    }
  }

  private async ask(
    webhook: MutatingWebhook | ValidatingWebhook,
    subject: ReviewSubject,
    review: ReviewCall,
  ): Promise<ReviewAnswer> {
    const { poster } = this.deps;
    const fail = (reason: string, cause?: unknown): CallingFailure =>
      new CallingFailure(webhook.name, reason, cause);
    try {
      const target = await this.target(webhook);
      const { status, text } = await poster.post(target, {
        body: JSON.stringify(toAdmissionReview(subject, review)),
        timeoutMs: (webhook.timeoutSeconds ?? 10) * 1000,
        signal: subject.attributes.context.signal,
        sendTimeout: true,
      });
      if (status < 200 || status > 206) throw fail(`failed to call webhook: ${badAnswer(status)}`);
      return readAdmissionReview(text, review);
    } catch (error) {
      if (error instanceof HookError) throw fail(`failed to call webhook: ${error.message}`, error);
      if (error instanceof InvalidReview)
        throw fail(`received invalid webhook response: ${error.message}`, error);
      throw error;
    }
  }

  private async target(webhook: MutatingWebhook | ValidatingWebhook): Promise<HookTarget> {
    const { url, service, caBundle } = webhook.clientConfig;
    const ca = caBundle ? { ca: Buffer.from(caBundle, 'base64') } : {};
    if (url) return { url, ...ca };
    if (!service) throw new HookError('webhook configuration must have either service or URL');
    const serverName = `${service.name}.${service.namespace}.svc`;
    const port = service.port ?? 443;
    const path = service.path ?? '';
    const shown = `https://${serverName}:${port}${path.startsWith('/') ? path : `/${path}`}`;
    try {
      const dial = await this.deps.resolver.resolve(service.namespace, service.name, port);
      return { url: shown, serverName, dial, ...ca };
    } catch (error) {
      if (!(error instanceof HookError)) throw error;
      const timeout = `timeout=${webhook.timeoutSeconds ?? 10}s`;
      throw new HookError(`Post "${shown}?${timeout}": ${error.message}`, { cause: error });
    }
  }
}

/** 500 in upstream's words, for a webhook that must be asked and cannot. */
export const failedClosed = (failure: CallingFailure): StatusError =>
  newInternalError(failure.message, failure);
