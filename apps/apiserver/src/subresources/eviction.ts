import {
  StatusError,
  labelSelectorMatcher,
  newBadRequest,
  newInternalError,
} from '@orrery/apimachinery';
import { evictionV1beta1 } from '@orrery/api';
import type { Eviction, Pod, PodDisruptionBudget } from '@orrery/api';
import { toTime } from '@orrery/component';
import type { RequestContext } from '@orrery/registry';
import { requestKindOf } from '../authz/access-reviews.js';
import type { ServerServices } from '../extensions.js';
import type { LiveReader } from '../live-view/live-view.js';
import type { SubresourceHandler } from '../subresources.js';
import { readPod } from './pod-access.js';
import { success } from './success.js';

const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";

function tooMany(cause: string): StatusError {
  return new StatusError(429, 'TooManyRequests', VIOLATES, {
    details: { causes: [{ reason: 'DisruptionBudget', message: cause }] },
  });
}

const condition = (pod: Pod, type: string): string | undefined =>
  pod.status?.conditions?.find((one) => one.type === type)?.status;

/** Pods whose end disturbs nobody need no budget (k8s storage/eviction.go:canIgnorePDB). */
function needsNoBudget(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending' ||
    pod.metadata.deletionTimestamp !== undefined
  );
}

function unhealthyMayGo(pod: Pod, budget: PodDisruptionBudget): boolean {
  if (condition(pod, 'Ready') === 'True') return false;
  if (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

/** The budget after one disruption more. Throws 429 when it has none left. */
function spend(budget: PodDisruptionBudget, podName: string, now: string): PodDisruptionBudget {
  const name = budget.metadata.name ?? '';
  const next = structuredClone(budget);
  const { status } = next;
  if (!status || (status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0))
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`);
  if ((status.disruptionsAllowed ?? 0) <= 0)
    throw tooMany(
      `The disruption budget ${name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`,
    );
  status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
  status.disruptedPods = { ...status.disruptedPods, [podName]: now };
  return next;
}

export interface EvictionDeps {
  readonly services: ServerServices;
  /** Indexed by namespace. */
  readonly budgets: LiveReader<PodDisruptionBudget>;
}

interface EvictCall {
  readonly pod: Pod;
  readonly context: RequestContext;
  readonly dryRun: boolean;
}

async function askBudget({ services, budgets }: EvictionDeps, call: EvictCall): Promise<void> {
  const { pod, context, dryRun } = call;
  const namespace = pod.metadata.namespace ?? '';
  const matching = [...budgets.indexed(namespace)].filter((budget) =>
    labelSelectorMatcher(budget.spec?.selector).matches(pod.metadata.labels ?? {}),
  );
  if (matching.length > 1)
    throw newInternalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  const [budget] = matching;
  if (!budget || unhealthyMayGo(pod, budget)) return;
  const now = toTime(services.clock.now());
  await services
    .store('policy', 'v1', 'poddisruptionbudgets')
    .update((stored) => spend(stored as PodDisruptionBudget, pod.metadata.name ?? '', now), {
      namespace,
      name: budget.metadata.name ?? '',
      context,
      dryRun,
      admitted: true,
      subresource: 'status',
      strategy: {},
    });
}

/** POST pods/eviction: a deletion that asks the pod's disruption budget first. */
export function evictionHandler(deps: EvictionDeps): SubresourceHandler {
  const { schema, message } = requestKindOf('policy', 'Eviction');
  return {
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: 'eviction',
    kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
    verbs: ['create'],
    body: { schema, message, alsoVersions: [evictionV1beta1.version] },
    async handle({ body, dryRun, request }) {
      if (!body)
        throw newBadRequest(
          "couldn't get version/kind; json parse error: unexpected end of JSON input",
        );
      const eviction = body as Eviction;
      const { namespace, name } = request.info;
      const { context } = request;
      const pod = await readPod(deps.services, namespace, name);
      if (!needsNoBudget(pod)) await askBudget(deps, { pod, context, dryRun });
      const options = eviction.deleteOptions ?? {};
      await deps.services.store('', 'v1', 'pods').delete({
        namespace,
        name,
        context,
        dryRun,
        admitted: true,
        options: {
          ...options,
          preconditions: { uid: pod.metadata.uid ?? '', ...options.preconditions },
        } as never,
      });
      return { object: success(201), status: 201 };
    },
  };
}
