import type { KubeObject } from '@orrery/apimachinery';
import { StatusError, newBadRequest } from '@orrery/apimachinery';
import type { ApiRequest } from '../filters/api-request.js';
import { parseAccept } from '../negotiation/accept.js';
import type { BodyKind } from '../negotiation/body-kind.js';
import type { ServerExtensions } from '../extensions.js';
import type { HandlerResult, SubresourceHandler } from '../subresources.js';
import { admitConnect, admitRequestKind, admitSubresourceCreate } from './admit-subresource.js';
import type { Call } from './call.js';
import { dryRunOf } from './rules/write-options.js';
import { methodNotAllowed, noRoute } from './rules/method-not-allowed.js';
import { readTyped } from './read-body.js';
import { get } from './get.js';
import { finalizeNamespace } from './namespace-finalize.js';
import { patch } from './patch.js';
import { serveScale } from './scale.js';
import { sendBytes, sendDocument } from './send.js';
import { update } from './update.js';

async function sendResult(request: ApiRequest, result: HandlerResult): Promise<void> {
  if (!result) return;
  if ('object' in result) {
    await sendDocument(request, request.reply, result.object, result.status ?? 200);
    return;
  }
  const { body, headers, status, contentType } = result;
  for (const [name, value] of Object.entries(headers ?? {})) void request.reply.header(name, value);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  await sendBytes(request, request.reply, { status, contentType, chunks: [bytes] });
}

async function servePlugged(
  call: Call,
  handler: SubresourceHandler,
  admission: ServerExtensions['admission'],
): Promise<void> {
  const { request, resource } = call;
  const { verb } = request.info;
  const objectKind = {
    group: handler.kind.group ?? resource.kind.group,
    version: handler.kind.version ?? resource.kind.version,
    kind: handler.kind.kind,
  };
  const isServed =
    handler.verbs.some((known) => known === verb) || handler.methods?.includes(request.method);
  if (!isServed) throw noRoute();
  const body: KubeObject | undefined = handler.body
    ? await readPosted(request, { ...objectKind, ...handler.body })
    : undefined;
  const dryRun = dryRunOf(request.query.getAll('dryRun'), 'CreateOptions');
  const { kind } = resource;
  if (body)
    await admitSubresourceCreate({ request, kind }, { body, objectKind, dryRun }, admission);
  else await admitConnect({ request, kind, handler }, admission);
  await sendResult(request, await handler.handle({ request, kind, body, dryRun }));
}

async function serveObject(call: Call): Promise<void> {
  const { verb } = call.request.info;
  if (verb === 'get') await get(call);
  else if (verb === 'update') await update(call);
  else if (verb === 'patch') await patch(call);
  else throw methodNotAllowed(call.resource, verb);
}

/** Serves a subresource; false when the resource has none of that name. */
export async function serveSubresource(
  call: Call,
  { subresources, admission }: Pick<ServerExtensions, 'subresources' | 'admission'>,
): Promise<boolean> {
  const { kind } = call.resource;
  const { subresource } = call.request.info;
  const plugged = subresources.find(
    (handler) =>
      handler.subresource === subresource &&
      handler.resource === kind.plural &&
      handler.group === kind.group &&
      handler.version === kind.version,
  );
  if (plugged?.strategy) await serveObject({ ...call, strategy: plugged.strategy });
  else if (plugged) await servePlugged(call, plugged, admission);
  else if (subresource === 'status' && kind.status) await serveObject(call);
  else if (subresource === 'scale' && kind.scale) await serveScale(call, admission);
  else if (subresource === 'finalize' && kind.plural === 'namespaces' && kind.group === '')
    await finalizeNamespace(call);
  else return false;
  return true;
}

/** What is never stored has no metadata, so neither tables nor partial objects can be made of it. */
function refuseTransformation({ headers }: ApiRequest): void {
  const [first] = parseAccept(headers.accept ?? '');
  if (first?.parameters['as'] !== undefined)
    throw new StatusError(
      406,
      'NotAcceptable',
      'the server was unable to respond with a content type that the client supports',
    );
}

/** Fields of metadata that only the server sets (k8s apiserver pkg/registry/rest/meta.go:WipeObjectMetaSystemFields). */
const SYSTEM_FIELDS = [
  'creationTimestamp',
  'uid',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
] as const;

/** Kinds whose uid says which object is meant (k8s rest.SubresourceObjectMetaPreserver). */
const NAMES_ANOTHER: ReadonlySet<string> = new Set(['Binding', 'TokenRequest']);

/** What is POSTed, as every create leaves it (k8s apiserver pkg/endpoints/handlers/create.go). */
async function readPosted(
  request: ApiRequest,
  kind: BodyKind & { readonly schema: string },
): Promise<KubeObject> {
  const object = await readTyped(request, kind);
  const { namespace } = request.info;
  object.metadata ??= {};
  const { metadata } = object;
  if (!NAMES_ANOTHER.has(kind.kind)) for (const field of SYSTEM_FIELDS) delete metadata[field];
  if (metadata.namespace && namespace !== '' && metadata.namespace !== namespace)
    throw newBadRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  if (namespace === '') delete metadata.namespace;
  else metadata.namespace = namespace;
  return object;
}

/** Serves a kind that is answered and never stored; false when there is none at that path. */
export async function serveRequestKind(
  request: ApiRequest,
  { requestKinds, admission }: Pick<ServerExtensions, 'requestKinds' | 'admission'>,
): Promise<boolean> {
  const { group, version, resource, verb, subresource } = request.info;
  const handler = requestKinds.find(
    ({ kind }) => kind.group === group && kind.version === version && kind.plural === resource,
  );
  if (!handler || subresource !== '') return false;
  if (handler.kind.deprecation) request.context.warn(handler.kind.deprecation);
  if (verb !== 'create') throw noRoute();
  const body = await readPosted(request, handler.kind);
  const dryRun = dryRunOf(request.query.getAll('dryRun'), 'CreateOptions');
  refuseTransformation(request);
  await admitRequestKind(request, handler.kind, { body, dryRun }, admission);
  const answer = await handler.handle({ request, body, dryRun });
  await sendDocument(request, request.reply, answer, 201);
  return true;
}
