import type { KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  invalid,
  newBadRequest,
  newConflict,
  newInvalid,
  newMethodNotSupported,
  OBJECT_MODIFIED,
} from '@orrery/apimachinery';
import { cloneJson } from '@orrery/registry';
import { decodeBody } from '../negotiation/decode-body.js';
import type { Call } from './call.js';
import { createCallOf, namespaceOf } from './call.js';
import { patchedDocument } from './patch.js';
import { sendDocument } from './send.js';

interface Scale extends KubeObject {
  spec?: { replicas?: number };
}

const SCALE = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  schema: 'io.k8s.api.autoscaling.v1.Scale',
  message: 'k8s.io.api.autoscaling.v1.Scale',
};

/** The Scale that stands for an object. */
function scaleOf(call: Call, object: KubeObject): Scale & Record<string, unknown> {
  const access = call.resource.kind.scale;
  const { replicas, statusReplicas, selector } = access?.get(object) ?? {
    replicas: 0,
    statusReplicas: 0,
    selector: '',
  };
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(
      Object.entries({ name, namespace, uid, resourceVersion, creationTimestamp }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: statusReplicas, ...(selector ? { selector } : {}) },
  };
}

function checkScale(call: Call, scale: Scale, current: KubeObject): number {
  const replicas = scale.spec?.replicas ?? 0;
  const { name = '' } = current.metadata;
  if (scale.metadata.name !== undefined && scale.metadata.name !== name) {
    throw newBadRequest(
      `the name of the object (${scale.metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (!Number.isInteger(replicas)) throw newBadRequest('spec.replicas must be an integer');
  if (replicas < 0) {
    throw newInvalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      invalid(FieldPath.of('spec', 'replicas'), replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const { resourceVersion } = scale.metadata;
  if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
    const { group, plural } = call.resource.kind;
    throw newConflict({ group, resource: plural }, name, OBJECT_MODIFIED);
  }
  return replicas;
}

/** GET, PUT and PATCH of `/scale`: the replicas of an object in a shape that all scalable kinds share. */
export async function serveScale(call: Call): Promise<void> {
  const { request, resource } = call;
  const { verb, name } = request.info;
  if (verb === 'get') {
    const found = await resource.store.get(namespaceOf(call), name, {
      resourceVersion: request.query.get('resourceVersion') ?? '',
    });
    await sendDocument(request, request.reply, scaleOf(call, found.object));
    return;
  }
  if (verb !== 'update' && verb !== 'patch') {
    const { group, plural } = resource.kind;
    throw newMethodNotSupported({ group, resource: `${plural}/scale` }, verb);
  }
  const body = verb === 'update' ? (decodeBody(request, SCALE) as Scale) : undefined;
  const result = await resource.store.update(
    (current) => {
      const object = cloneJson(current ?? { metadata: {} });
      const scale: Scale = body ?? patchedDocument(call, scaleOf(call, object), SCALE.schema);
      resource.kind.scale?.set(object, checkScale(call, scale, object));
      return object;
    },
    {
      ...createCallOf(call, 'UpdateOptions'),
      name,
      subresource: 'scale',
      strategy: resource.kind.strategy,
    },
  );
  await sendDocument(request, request.reply, scaleOf(call, result.representation.object));
}
