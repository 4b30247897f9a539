import { isFlagSet, newBadRequest } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { validateDeleteOptions } from '@orrery/registry';
import type { DeleteOptions } from '@orrery/registry';
import { decodeBody } from '../negotiation/decode-body.js';
import { schemas } from '../negotiation/schemas.js';
import type { Call } from './call.js';
import { listRequestOf, namespaceOf, numberOf } from './call.js';
import { dryRunOf } from './rules/write-options.js';
import { sendList, sendObject } from './respond.js';
import { sendDocument } from './send.js';

/** Kinds whose completed deletion answers with the object (upstream: ReturnDeletedObject). */
const RETURNS_OBJECT = new Set([
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'namespaces.',
  'persistentvolumeclaims.',
  'persistentvolumes.',
  'pods.',
  'podtemplates.',
  'resourcequotas.',
  'serviceaccounts.',
  'services.',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'volumeattributesclasses.storage.k8s.io',
]);

const EXPECTED = {
  group: '',
  version: 'v1',
  kind: 'DeleteOptions',
  schema: 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  message: 'k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions',
};

/** k8s apimachinery pkg/apis/meta/v1/conversion.go:Convert_url_Values_To_v1_DeleteOptions. */
function preconditionsIn(query: URLSearchParams): Pick<DeleteOptions, 'preconditions'> {
  const given = (['uid', 'resourceVersion'] as const).flatMap((name) => {
    const value = query.get(name) ?? '';
    return value === '' ? [] : [[name, value] as const];
  });
  return given.length > 0 ? { preconditions: Object.fromEntries(given) } : {};
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const policy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  return {
    ...(query.has('gracePeriodSeconds')
      ? { gracePeriodSeconds: numberOf(query, 'gracePeriodSeconds') }
      : {}),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(orphan === null ? {} : { orphanDependents: isFlagSet(orphan) }),
    ...preconditionsIn(query),
    ...(query.has('dryRun') ? { dryRun: query.getAll('dryRun') } : {}),
  };
}

/** Fields that are null are as good as absent. */
export const withoutNulls = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as T;

/** DeleteOptions of the body, or of the query when there is no body; whoever leaves open what is not obvious is told. */
function optionsOf(call: Call): DeleteOptions {
  const options = readOptions(call);
  const { warning } = call.resource.kind.garbage ?? {};
  const isOpen = options.propagationPolicy === undefined && options.orphanDependents === undefined;
  if (warning !== undefined && isOpen) call.request.context.warn(warning);
  return options;
}

function readOptions({ request }: Call): DeleteOptions {
  if (request.body.length === 0) return fromQuery(request.query);
  const decoded: KubeObject & DeleteOptions = decodeBody(request, {
    ...EXPECTED,
    anyVersion: true,
  });
  const { typeError } = schemas().checkFields(decoded, EXPECTED.schema);
  if (typeError !== undefined) throw newBadRequest(typeError);
  return withoutNulls({
    ...decoded,
    ...(decoded.preconditions ? { preconditions: withoutNulls(decoded.preconditions) } : {}),
  });
}

/** DELETE of one object. */
export async function deleteOne(call: Call): Promise<void> {
  const { request, resource } = call;
  const options = optionsOf(call);
  const namespace = namespaceOf(call);
  const result = await resource.store.delete({
    context: request.context,
    ...(namespace ? { namespace } : {}),
    name: request.info.name,
    options,
    dryRun: dryRunOf(options.dryRun ?? [], 'DeleteOptions'),
  });
  const accepted =
    !result.deleted &&
    (options.orphanDependents === false || options.propagationPolicy === 'Foreground');
  const status = accepted ? 202 : 200;
  const { representation } = result;
  if (!result.deleted || RETURNS_OBJECT.has(`${resource.kind.plural}.${resource.kind.group}`)) {
    await sendObject(call, representation, status);
    return;
  }
  const body = resource.store.deletedStatus(representation.object);
  await sendDocument(request, request.reply, body, status);
}

/** DELETE of a collection. */
export async function deleteMany(call: Call): Promise<void> {
  const { request, resource } = call;
  const options = optionsOf(call);
  validateDeleteOptions(options);
  const deleted = await resource.store.deleteCollection(listRequestOf(call), {
    context: request.context,
    options,
    dryRun: dryRunOf(options.dryRun ?? [], 'DeleteOptions'),
  });
  await sendList(call, deleted);
}
