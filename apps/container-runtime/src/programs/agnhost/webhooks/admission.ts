import type { Agnhost } from '../agnhost.js';
import { forever } from '../agnhost.js';

interface Labelled {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface AdmissionRequest {
  readonly uid: string;
  readonly name?: string;
  readonly operation: string;
  readonly subResource?: string;
  readonly resource: {
    readonly group: string;
    readonly version: string;
    readonly resource: string;
  };
  readonly object?: unknown;
  readonly oldObject?: unknown;
}

export interface AdmissionResponse {
  readonly allowed: boolean;
  readonly patch?: string;
  readonly patchType?: 'JSONPatch';
  readonly status?: { readonly message?: string; readonly reason?: string; readonly code?: number };
}

export interface Admission {
  readonly host: Agnhost;
  readonly sidecarImage: string;
}

type Admit = (
  request: AdmissionRequest,
  admission: Admission,
) => AdmissionResponse | Promise<AdmissionResponse>;

const DELAY_MS = 5_000;
const ALLOWED: AdmissionResponse = { allowed: true };

const refused = (message: string): AdmissionResponse => ({ allowed: false, status: { message } });

const patched = (operations: readonly unknown[]): AdmissionResponse => ({
  allowed: true,
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  patchType: 'JSONPatch',
});

const isPods = ({ resource }: AdmissionRequest): boolean =>
  resource.group === '' && resource.version === 'v1' && resource.resource === 'pods';

const NOT_PODS = refused('expect resource to be { v1 pods}');

interface PodLike extends Labelled {
  readonly spec?: {
    readonly containers?: readonly { readonly name: string }[];
    readonly initContainers?: readonly { readonly name: string }[];
  };
}

const addLabel: Admit = ({ object }) => {
  const labels = (object as Labelled).metadata?.labels ?? {};
  const path = '/metadata/labels';
  if (Object.keys(labels).length === 0)
    return patched([{ op: 'add', path, value: { 'added-label': 'yes' } }]);
  const one = { path: `${path}/added-label`, value: 'yes' };
  if (labels['added-label'] === undefined) return patched([{ op: 'add', ...one }]);
  return labels['added-label'] === 'yes' ? ALLOWED : patched([{ op: 'replace', ...one }]);
};

const admitPods: Admit = async (request) => {
  if (!isPods(request)) return NOT_PODS;
  const pod = request.object as PodLike;
  const label = pod.metadata?.labels?.['webhook-e2e-test'];
  if (label === 'wait-forever') await forever();
  const texts = [
    ...(label === 'webhook-disallow' ? ['the pod contains unwanted label;'] : []),
    ...(pod.spec?.containers ?? [])
      .filter(({ name }) => name.includes('webhook-disallow'))
      .map(() => 'the pod contains unwanted container name;'),
  ];
  return texts.length === 0 ? ALLOWED : refused(texts.join(' '));
};

const denyAttachment: Admit = (request) => {
  if (request.name !== 'to-be-attached-pod') return ALLOWED;
  if (!isPods(request)) return NOT_PODS;
  if (request.subResource !== 'attach')
    return refused(`expect subresource to be attach, got ${request.subResource ?? ''}`);
  const { stdin, container } = request.object as { stdin?: boolean; container?: string };
  return stdin && container === 'container1'
    ? refused("attaching to pod 'to-be-attached-pod' is not allowed")
    : ALLOWED;
};

const mutatePods: Admit = (request) => {
  if (!isPods(request)) return NOT_PODS;
  const { metadata, spec } = request.object as PodLike;
  const name = 'webhook-added-init-container';
  const has = spec?.initContainers?.some((container) => container.name === name) ?? false;
  if (metadata?.name !== 'webhook-to-be-mutated' || has) return ALLOWED;
  const value = [{ image: 'webhook-added-image', name, resources: {} }];
  return patched([{ op: 'add', path: '/spec/initContainers', value }]);
};

const mutatePodsSidecar: Admit = (request, { sidecarImage }) => {
  if (sidecarImage === '')
    return {
      allowed: false,
      status: { message: 'No image specified by the sidecar-image parameter', code: 500 },
    };
  if (!isPods(request)) return NOT_PODS;
  const name = 'webhook-added-sidecar';
  if ((request.object as PodLike).spec?.containers?.some((one) => one.name === name))
    return ALLOWED;
  const value = { image: sidecarImage, name, resources: {} };
  return patched([{ op: 'add', path: '/spec/containers/-', value }]);
};

const dataOf = (object: unknown): Readonly<Record<string, string>> =>
  (object as { data?: Record<string, string> } | undefined)?.data ?? {};

/** Refuses data with the keys of the test; `what` is named in the reasons. */
const admitData =
  (disallowed: string, undeletable: string): Admit =>
  ({ operation, object, oldObject }) => {
    const mark = dataOf(operation === 'DELETE' ? oldObject : object)['webhook-e2e-test'];
    if (mark === 'webhook-disallow' && ['CREATE', 'UPDATE'].includes(operation))
      return { allowed: false, status: { reason: disallowed } };
    return mark === 'webhook-nondeletable' && operation === 'DELETE'
      ? { allowed: false, status: { reason: undeletable } }
      : ALLOWED;
  };

const mutateData: Admit = ({ object }) => {
  const data = dataOf(object);
  const stage = (n: number): AdmissionResponse =>
    patched([{ op: 'add', path: `/data/mutation-stage-${n}`, value: 'yes' }]);
  if (data['mutation-stage-1'] === 'yes') return stage(2);
  return data['mutation-start'] === 'yes' ? stage(1) : ALLOWED;
};

const admitCrd: Admit = ({ object }) =>
  (object as Labelled).metadata?.labels?.['webhook-e2e-test'] === 'webhook-disallow'
    ? refused('the crd contains unwanted label')
    : ALLOWED;

/** By the path at which each is asked (k8s test/images/agnhost/webhook/main.go). */
export const ADMISSIONS: Readonly<Record<string, Admit>> = {
  '/always-allow-delay-5s': async (_request, { host }) => {
    await host.clock.sleep(DELAY_MS);
    return { allowed: true, status: { message: 'this webhook allows all requests' } };
  },
  '/always-deny': () => refused('this webhook denies all requests'),
  '/add-label': addLabel,
  '/pods': admitPods,
  '/pods/attach': denyAttachment,
  '/mutating-pods': mutatePods,
  '/mutating-pods-sidecar': mutatePodsSidecar,
  '/configmaps': admitData(
    'the configmap contains unwanted key and value',
    'the configmap cannot be deleted because it contains unwanted key and value',
  ),
  '/mutating-configmaps': mutateData,
  '/custom-resource': admitData(
    'the custom resource contains unwanted data',
    'the custom resource cannot be deleted because it contains unwanted key and value',
  ),
  '/mutating-custom-resource': mutateData,
  '/crd': admitCrd,
};
