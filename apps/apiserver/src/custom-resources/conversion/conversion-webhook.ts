import type { KubeObject } from '@orrery/apimachinery';
import { StatusError } from '@orrery/apimachinery';
import type { CustomResourceDefinition } from '@orrery/api';
import type { Random } from '@orrery/component';
import type { HookPoster, HookTarget } from '../../webhooks/https-post.js';
import type { ServiceResolver } from '../../webhooks/service-resolver.js';
import { checkConverted } from './converted-object.js';
import type { ConvertedForm } from './converted-object.js';
import { isJsonObject } from '../structural-schema.js';

export interface ConversionDeps {
  readonly poster: HookPoster;
  readonly resolver: ServiceResolver;
  readonly random: Random;
}

interface ReviewAnswer {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly response?: {
    readonly uid?: string;
    readonly result?: { readonly status?: string; readonly message?: string };
    readonly convertedObjects?: readonly unknown[];
  };
}

const TIMEOUT_MS = 30_000;
const GROUP = 'apiextensions.k8s.io';

/** Upstream's converters fail with plain errors, which are 500 without a reason. */
const failed = (message: string, cause?: unknown): StatusError =>
  new StatusError(500, '', message, { cause });

const nameOf = ({ apiVersion = '', kind = '' }: KubeObject): string =>
  `${apiVersion}, Kind=${kind}`;

function checkAnswer(review: ReviewAnswer, version: string, uid: string): readonly unknown[] {
  const { response } = review;
  if (version === 'v1') {
    const got = `${review.apiVersion ?? ''}, Kind=${review.kind ?? ''}`;
    const wanted = `${GROUP}/v1, Kind=ConversionReview`;
    if (got !== wanted) throw new Error(`expected webhook response of ${wanted}, got ${got}`);
  }
  if (!response) throw new Error('no response provided');
  if (version === 'v1' && response.uid !== uid)
    throw new Error(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`,
    );
  const { status = '', message } = response.result ?? {};
  if (status === 'Success') return response.convertedObjects ?? [];
  throw new Error(message || `response.result.status was '${status}', not 'Success'`);
}

/** Asks the webhook of a definition to convert its objects (apiextensions-apiserver pkg/apiserver/conversion). */
export class ConversionWebhook {
  constructor(
    private readonly definition: CustomResourceDefinition,
    private readonly deps: ConversionDeps,
  ) {}

  /** The objects as `desired` (an apiVersion) has them; those that are so already are not sent. */
  async convert(
    objects: readonly KubeObject[],
    desired: string,
    form: ConvertedForm,
  ): Promise<KubeObject[]> {
    const sent = objects.filter(({ apiVersion }) => apiVersion !== desired);
    const [first] = sent;
    if (!first) return [...objects];
    const answered = await this.ask(sent, desired, nameOf(first));
    if (answered.length !== sent.length) {
      throw failed(
        `conversion webhook for ${nameOf(first)} returned ${answered.length} objects, expected ${sent.length}`,
      );
    }
    let next = 0;
    return objects.map((object) => {
      if (object.apiVersion === desired) return object;
      const index = next++;
      try {
        return checkConverted(answered[index], { original: object, desired, form, index });
      } catch (error) {
        const why = (error as Error).message;
        throw failed(`conversion webhook for ${nameOf(object)} returned invalid ${why}`, error);
      }
    });
  }

  private async ask(
    objects: readonly KubeObject[],
    desired: string,
    name: string,
  ): Promise<readonly unknown[]> {
    const { conversionReviewVersions = [] } = this.definition.spec.conversion?.webhook ?? {};
    const version = conversionReviewVersions.find((one) => one === 'v1' || one === 'v1beta1');
    if (version === undefined) throw failed('no supported conversion review versions');
    const uid = this.deps.random.uuid();
    const body = JSON.stringify({
      kind: 'ConversionReview',
      apiVersion: `${GROUP}/${version}`,
      request: { uid, desiredAPIVersion: desired, objects },
    });
    try {
      const target = await this.target();
      const { status, text } = await this.deps.poster.post(target, { body, timeoutMs: TIMEOUT_MS });
      if (status < 200 || status > 299)
        throw new Error('the server responded with the status code ' + String(status));
      return checkAnswer(readReview(text), version, uid);
    } catch (error) {
      throw failed(`conversion webhook for ${name} failed: ${(error as Error).message}`, error);
    }
  }

  private async target(): Promise<HookTarget> {
    const { url, service, caBundle } = this.definition.spec.conversion?.webhook?.clientConfig ?? {};
    const pem = Buffer.from(caBundle ?? '', 'base64').toString('utf8');
    const ca = pem.trim() === '' ? {} : { ca: pem };
    if (url !== undefined) return { url, ...ca };
    const { name = '', namespace = '', port = 443, path = '' } = service ?? {};
    const host = `${name}.${namespace}.svc`;
    const dial = await this.deps.resolver.resolve(namespace, name, port);
    const rooted = path === '' || path.startsWith('/') ? path : `/${path}`;
    return { url: `https://${host}:${port}${rooted}`, dial, serverName: host, ...ca };
  }
}

function readReview(text: string): ReviewAnswer {
  const review: unknown = JSON.parse(text);
  if (!isJsonObject(review)) throw new Error('the answer is no object');
  return review;
}
