import type { GroupVersionKind, KubeObject, Status } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { AdmissionAttributes } from '@orrery/registry';
import { convertBetween } from '../matching/versioned-object.js';
import { isMapping } from '../../config/configuration-file.js';

/** A request as a webhook is shown it, and the answer that it gave. */
export interface ReviewAnswer {
  readonly allowed: boolean;
  readonly status?: Partial<Status>;
  /** JSON of a JSON patch. */
  readonly patch?: string;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** Versions of AdmissionReview that can be spoken. */
export type ReviewVersion = 'v1' | 'v1beta1';

const GROUP = 'admission.k8s.io';
const GVK = `${GROUP}/v1, Kind=AdmissionReview`;

/** The first of the versions that a webhook accepts and this server knows. */
export const reviewVersion = (accepted: readonly string[]): ReviewVersion | undefined =>
  accepted.find((one): one is ReviewVersion => one === 'v1' || one === 'v1beta1');

/** One call of a webhook. */
export interface ReviewCall {
  readonly version: ReviewVersion;
  readonly uid: string;
  readonly mutating: boolean;
}

/** What the webhook is told that it is about: the request's own kind, or an equivalent one. */
export interface ReviewSubject {
  readonly attributes: AdmissionAttributes;
  readonly kind: KindDescriptor;
}

const kindOf = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({
  group,
  version,
  kind,
});

/** The object in the shape of the kind that the webhook has asked for. */
export function shapeFor(
  { attributes, kind }: ReviewSubject,
  object: KubeObject | undefined,
): KubeObject | undefined {
  if (!object || attributes.objectKind) return object;
  return convertBetween(object, attributes.kind, kind);
}

const OPTIONS_KIND: Readonly<Record<string, string>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
};

function optionsOf({ operation, options }: AdmissionAttributes): unknown {
  const kind = OPTIONS_KIND[operation];
  if (kind === undefined) return null;
  return { kind, apiVersion: 'meta.k8s.io/v1', ...(options as object | undefined) };
}

/** k8s apiserver pkg/admission/plugin/webhook/request/admissionreview.go:CreateV1AdmissionReview. */
export function toAdmissionReview(
  subject: ReviewSubject,
  { version, uid }: ReviewCall,
): Record<string, unknown> {
  const { attributes, kind } = subject;
  const { user } = attributes.context;
  const asked = attributes.kind;
  const { subresource } = attributes;
  const resource = (of: KindDescriptor): Record<string, string> => ({
    group: of.group,
    version: of.version,
    resource: of.plural,
  });
  const sub = (field: string): Record<string, string> =>
    subresource === '' ? {} : { [field]: subresource };
  return {
    kind: 'AdmissionReview',
    apiVersion: `${GROUP}/${version}`,
    request: {
      uid,
      kind: kindOf(attributes.objectKind ?? kind),
      resource: resource(kind),
      ...sub('subResource'),
      requestKind: kindOf(attributes.objectKind ?? asked),
      requestResource: resource(asked),
      ...sub('requestSubResource'),
      ...(attributes.name ? { name: attributes.name } : {}),
      ...(attributes.namespace ? { namespace: attributes.namespace } : {}),
      operation: attributes.operation,
      userInfo: {
        username: user.name,
        ...(user.uid ? { uid: user.uid } : {}),
        groups: user.groups,
        ...(user.extra ? { extra: user.extra } : {}),
      },
      object: shapeFor(subject, attributes.object) ?? null,
      oldObject: shapeFor(subject, attributes.oldObject) ?? null,
      dryRun: attributes.dryRun,
      options: optionsOf(attributes),
    },
  };
}

/** An answer that is none; the message follows `received invalid webhook response: `. */
export class InvalidReview extends Error {
  override readonly name = 'InvalidReview';
}

function stringsOf(value: unknown): Record<string, string> {
  if (!isMapping(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** A patch and its type come together, and from webhooks that may change the object alone. */
function checkPatch(
  { patchType }: Record<string, unknown>,
  hasPatch: boolean,
  mutating: boolean,
): void {
  const hasType = isGiven(patchType);
  if (!mutating) {
    if (hasPatch) throw new InvalidReview('validating webhook may not return response.patch');
    if (hasType) throw new InvalidReview('validating webhook may not return response.patchType');
    return;
  }
  if (hasPatch && !hasType)
    throw new InvalidReview('webhook returned response.patch but not response.patchType');
  if (!hasPatch && hasType)
    throw new InvalidReview('webhook returned response.patchType but not response.patch');
  if (!hasPatch) return;
  if (patchType === '')
    throw new InvalidReview('webhook returned invalid response.patchType of ""');
  if (patchType !== 'JSONPatch')
    throw new InvalidReview(`unsupported patch type ${JSON.stringify(patchType)}`);
}

function patchOf(
  response: Record<string, unknown>,
  { version, mutating }: ReviewCall,
): string | undefined {
  const { patch } = response;
  const text = typeof patch === 'string' && patch !== '' ? patch : undefined;
  // Nobody ever looked at the patchType of v1beta1.
  if (version === 'v1') checkPatch(response, text !== undefined, mutating);
  return mutating && text !== undefined ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}

/** Answers of v1 say what they are, and to which question. */
function checkIdentity(
  { apiVersion, kind }: Record<string, unknown>,
  response: Record<string, unknown>,
  uid: string,
): void {
  if (response['uid'] !== uid)
    throw new InvalidReview(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`,
    );
  if (apiVersion !== `${GROUP}/v1` || kind !== 'AdmissionReview') {
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    const given = text(apiVersion);
    const groupVersion = given.includes('/') ? given : `/${given}`;
    const got = `${groupVersion}, Kind=${text(kind)}`;
    throw new InvalidReview(`expected webhook response of ${GVK}, got ${got}`);
  }
}

/** Reads what a webhook has answered; k8s …/request/admissionreview.go:VerifyAdmissionResponse. Throws InvalidReview. */
export function readAdmissionReview(text: string, call: ReviewCall): ReviewAnswer {
  let review: unknown;
  try {
    review = JSON.parse(text);
  } catch (error) {
    throw new InvalidReview("couldn't get version/kind; json parse error", { cause: error });
  }
  if (!isMapping(review) || !isMapping(review['response']))
    throw new InvalidReview('webhook response was absent');
  const { response } = review;
  if (call.version === 'v1') checkIdentity(review, response, call.uid);
  const patch = patchOf(response, call);
  const warnings: unknown = response['warnings'];
  return {
    allowed: response['allowed'] === true,
    ...(isMapping(response['status']) ? { status: response['status'] as Partial<Status> } : {}),
    ...(patch === undefined ? {} : { patch }),
    warnings: Array.isArray(warnings)
      ? warnings.filter((one): one is string => typeof one === 'string')
      : [],
    auditAnnotations: stringsOf(response['auditAnnotations']),
  };
}
