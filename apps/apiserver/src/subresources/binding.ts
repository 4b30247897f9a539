import type { KubeObject } from '@orrery/apimachinery';
import {
  FieldPath,
  StatusError,
  cloneJson,
  newBadRequest,
  newConflict,
  notSupported,
  required,
} from '@orrery/apimachinery';
import type { Binding, Pod } from '@orrery/api';
import { toTime } from '@orrery/component';
import type { RequestContext } from '@orrery/registry';
import { requestKindOf } from '../authz/access-reviews.js';
import type { ServerServices } from '../extensions.js';
import type { RequestKindHandler, SubresourceHandler } from '../subresources.js';
import { success } from './success.js';

const RESOURCE = { group: '', resource: 'pods/binding' };

function check(binding: Binding, name: string): void {
  if ((binding.metadata.name ?? '') !== name)
    throw newBadRequest('name in URL does not match name in Binding object');
  const errors = [];
  const target = FieldPath.of('target');
  if (binding.target?.kind && binding.target.kind !== 'Node')
    errors.push(
      notSupported(target.child('kind'), binding.target.kind, ['Node', '<empty>'], 'as given'),
    );
  if (!binding.target?.name) errors.push(required(target.child('name')));
  if (errors.length === 0) return;
  // Upstream makes no Status of these (k8s registry/core/pod/storage/storage.go:BindingREST.Create).
  const texts = errors.map(({ field, message }) => `${field}: ${message}`);
  throw new StatusError(500, '', texts.length > 1 ? `[${texts.join(', ')}]` : texts.join(''));
}

/** A binding's annotations win, its labels do not. */
function copyMetadata({ metadata }: Pod, { metadata: given }: Binding): void {
  if (given.annotations) metadata.annotations = { ...metadata.annotations, ...given.annotations };
  if (given.labels) metadata.labels = { ...given.labels, ...metadata.labels };
}

/** Sets the node of a pod once (k8s registry/core/pod/storage/storage.go:setPodHostAndAnnotations). */
function assign(pod: Pod, binding: Binding, now: string): Pod {
  const name = pod.metadata.name ?? '';
  const refuse = (why: string): never => {
    throw newConflict(RESOURCE, name, why);
  };
  if (binding.metadata.uid && binding.metadata.uid !== pod.metadata.uid)
    refuse(
      `Precondition failed: UID in precondition: ${binding.metadata.uid}, UID in object meta: ${pod.metadata.uid}`,
    );
  if (pod.metadata.deletionTimestamp)
    refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec?.nodeName) refuse(`pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  if (pod.spec?.schedulingGates?.length) refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const next = cloneJson(pod);
  if (next.spec) next.spec.nodeName = binding.target.name ?? '';
  copyMetadata(next, binding);
  // What was nominated is outdated from now on (feature ClearingNominatedNodeNameAfterBinding, on since 1.35).
  const { nominatedNodeName: _, conditions = [], ...status } = next.status ?? {};
  const { generation } = pod.metadata;
  next.status = {
    ...status,
    conditions: [
      ...conditions.filter((condition) => condition.type !== 'PodScheduled'),
      {
        type: 'PodScheduled',
        ...(generation ? { observedGeneration: generation } : {}),
        status: 'True',
        lastProbeTime: null,
        lastTransitionTime: now,
      } as never,
    ],
  };
  return next;
}

interface BindCall {
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly context: RequestContext;
}

async function bind(services: ServerServices, binding: Binding, call: BindCall): Promise<void> {
  check(binding, call.name);
  const now = toTime(services.clock.now());
  await services.store('', 'v1', 'pods').update((pod) => assign(pod as Pod, binding, now), {
    ...call,
    admitted: true,
    subresource: 'binding',
    keepsGeneration: true,
    strategy: {},
  });
}

/** POST pods/<name>/binding: what a scheduler does. */
export function podBinding(services: ServerServices): SubresourceHandler {
  const { schema, message } = requestKindOf('', 'Binding');
  return {
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: 'binding',
    kind: { kind: 'Binding' },
    verbs: ['create'],
    body: { schema, message },
    async handle({ body, dryRun, request }) {
      const { namespace, name } = request.info;
      const binding = body as KubeObject as Binding;
      await bind(services, binding, { namespace, name, dryRun, context: request.context });
      return { object: success(201), status: 201 };
    },
  };
}

/** POST bindings: the same, with the pod's name in the body. */
export function bindings(services: ServerServices): RequestKindHandler {
  return {
    kind: requestKindOf('', 'Binding'),
    async handle({ body, dryRun, request }) {
      const binding = body as KubeObject as Binding;
      const { namespace } = request.info;
      const name = binding.metadata.name ?? '';
      await bind(services, binding, { namespace, name, dryRun, context: request.context });
      return success(201);
    },
  };
}
