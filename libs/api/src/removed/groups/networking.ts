import { IngressKind } from '../../networking/v1/ingress/ingress.kind.js';
import { IngressClassKind } from '../../networking/v1/ingressclass/ingressclass.kind.js';
import type { HubConversion } from '../removed-kind.js';
import { removedKind } from '../removed-kind.js';
import type { Json } from '../json.js';
import { changedFields, changedItems, defined, fieldsOf, renamed, without } from '../json.js';

/** k8s pkg/apis/networking/v1beta1/conversion.go. */
function backendToHub(backend: Json): Json {
  const { serviceName: name, servicePort: port } = backend;
  const rest = without(backend, 'serviceName', 'servicePort');
  if (name === undefined && (port === undefined || port === 0)) return rest;
  const target = typeof port === 'string' ? { name: port } : defined({ number: port });
  return {
    ...rest,
    service: defined({ name, port: Object.keys(target).length > 0 ? target : undefined }),
  };
}

function backendFromHub(backend: Json): Json {
  const { service } = backend;
  const rest = without(backend, 'service');
  if (typeof service !== 'object' || service === null) return rest;
  const { name, port } = fieldsOf(service);
  const target = fieldsOf(port);
  return defined({
    ...rest,
    serviceName: name === '' ? undefined : name,
    servicePort: target['name'] ?? target['number'] ?? 0,
  });
}

const withPaths = (object: Json, change: (path: Json) => Json): Json =>
  changedFields(object, 'spec', (spec) =>
    changedItems(spec, 'rules', (rule) =>
      changedFields(rule, 'http', (http) => changedItems(http, 'paths', change)),
    ),
  );

const withBackends = (object: Json, name: string, change: (backend: Json) => Json): Json =>
  withPaths(
    changedFields(object, 'spec', (spec) => changedFields(spec, name, change)),
    (path) => changedFields(path, 'backend', change),
  );

export const ingressConversion: HubConversion = {
  toHub(object) {
    const made = withBackends(object, 'backend', backendToHub);
    return changedFields(made, 'spec', (spec) => renamed(spec, { backend: 'defaultBackend' }));
  },
  fromHub(hub) {
    const made = withBackends(hub, 'defaultBackend', backendFromHub);
    return changedFields(made, 'spec', (spec) => renamed(spec, { defaultBackend: 'backend' }));
  },
};

/** A path that names no type means what the controller takes it for. Mutates. */
export function setIngressDefaults(object: Json): void {
  Object.assign(
    object,
    withPaths(object, (path) => ({
      ...path,
      pathType: path['pathType'] ?? 'ImplementationSpecific',
    })),
  );
}

export const removedNetworking = [
  removedKind(IngressKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.19', removed: '1.22' },
    conversion: ingressConversion,
    setDefaults: setIngressDefaults,
  }),
  removedKind(IngressClassKind, {
    version: 'v1beta1',
    lifecycle: {
      deprecated: '1.19',
      removed: '1.22',
      // So upstream says it (k8s.io/api networking/v1beta1 zz_generated.prerelease-lifecycle.go).
      replacement: 'networking.k8s.io/v1 IngressClassList',
    },
  }),
];
