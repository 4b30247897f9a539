import type { KubeObject } from '@orrery/apimachinery';
import {
  StatusError,
  isConflict,
  labelSelectorMatcher,
  newBadRequest,
  newConflict,
  newForbidden,
} from '@orrery/apimachinery';
import { evictionV1beta1 } from '@orrery/api';
import type { Eviction, Pod, PodDisruptionBudget } from '@orrery/api';
import { toTime } from '@orrery/component';
import type { DeleteOptions, RequestContext } from '@orrery/registry';
import { requestKindOf } from '../authz/access-reviews.js';
import type { ServerServices } from '../extensions.js';
import type { LiveReader } from '../live-view/live-view.js';
import { withoutNulls } from '../rest/delete.js';
import { dryRunOf } from '../rest/rules/write-options.js';
import type { SubresourceHandler } from '../subresources.js';
import { readPod } from './pod-access.js';
import { success } from './success.js';

const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget.";
const BUDGETS = { group: 'policy', resource: 'poddisruptionbudget' };
/** k8s storage/eviction.go:MaxDisruptedPodSize. */
const MOST_DISRUPTED = 2000;
/** k8s storage/eviction.go:EvictionsRetry. */
const ATTEMPTS = 20;

function tooMany(cause: string, retryAfterSeconds?: number): StatusError {
  return new StatusError(429, 'TooManyRequests', VIOLATES, {
    details: {
      causes: [{ reason: 'DisruptionBudget', message: cause }],
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  });
}

const stillProcessed = (name: string): StatusError =>
  tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);

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

/** The budget after one disruption more. Throws 429 when it has none left (k8s storage/eviction.go:checkAndDecrement). */
function spend(budget: PodDisruptionBudget, podName: string, now: string): PodDisruptionBudget {
  const name = budget.metadata.name ?? '';
  const next = structuredClone(budget);
  const { status } = next;
  const { observedGeneration = 0, disruptionsAllowed = 0, disruptedPods = {} } = status ?? {};
  if (!status || observedGeneration < (budget.metadata.generation ?? 0)) throw stillProcessed(name);
  const refuse = (why: string): never => {
    throw newForbidden(BUDGETS, name, why);
  };
  if (disruptionsAllowed < 0) refuse('pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > MOST_DISRUPTED)
    refuse('DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (disruptionsAllowed === 0)
    throw tooMany(
      `The disruption budget ${name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`,
    );
  status.disruptionsAllowed = disruptionsAllowed - 1;
  if (status.disruptionsAllowed === 0) setCondition(status, noneAllowed(observedGeneration), now);
  status.disruptedPods = { ...disruptedPods, [podName]: now };
  return next;
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** The condition in place of the one of its type, whose time it keeps when the status stays. */
function setCondition(
  status: { conditions?: unknown[] },
  condition: Condition,
  lastTransitionTime: string,
): void {
  const before = (status.conditions ?? []) as (Condition & { lastTransitionTime?: string })[];
  const old = before.find(({ type }) => type === condition.type);
  const since = old?.status === condition.status ? old.lastTransitionTime : undefined;
  const set = { ...condition, lastTransitionTime: since ?? lastTransitionTime };
  status.conditions = old ? before.map((one) => (one === old ? set : one)) : [...before, set];
}

const noneAllowed = (observedGeneration: number): Condition & Record<string, unknown> => ({
  type: 'DisruptionAllowed',
  status: 'False',
  observedGeneration,
  reason: 'InsufficientPods',
  message: '',
});

export interface EvictionDeps {
  readonly services: ServerServices;
  /** Indexed by namespace. */
  readonly budgets: LiveReader<PodDisruptionBudget>;
}

type Options = NonNullable<Eviction['deleteOptions']>;

interface EvictCall {
  readonly namespace: string;
  readonly name: string;
  readonly context: RequestContext;
  readonly options: Options;
  readonly dryRun: boolean;
}

/** The budgets of a pod; those with a selector that cannot be match nothing. */
function budgetsOf({ budgets }: EvictionDeps, { metadata }: Pod): PodDisruptionBudget[] {
  return [...budgets.indexed(metadata.namespace ?? '')].filter(({ spec }) => {
    try {
      return labelSelectorMatcher(spec?.selector).matches(metadata.labels ?? {});
    } catch {
      return false;
    }
  });
}

/** Takes one disruption from the budget; answers whether the pod must be as it was when it goes. */
async function askBudget(
  { services }: EvictionDeps,
  pod: Pod,
  budget: PodDisruptionBudget,
  { namespace, name, context, dryRun }: EvictCall,
): Promise<boolean> {
  if (unhealthyMayGo(pod, budget)) return true;
  const now = toTime(services.clock.now());
  await services
    .store('policy', 'v1', 'poddisruptionbudgets')
    .update((stored) => spend(stored as PodDisruptionBudget, name, now), {
      namespace,
      name: budget.metadata.name ?? '',
      context,
      dryRun,
      admitted: true,
      subresource: 'status',
      strategy: {},
    });
  return false;
}

/** Throws a conflict where the pod is not the one that is meant. */
function checkPreconditions({ metadata }: Pod, { preconditions }: Options): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const resource = { group: '', resource: 'Pod' };
  if (uid && uid !== metadata.uid)
    throw newConflict(
      resource,
      metadata.name ?? '',
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (resourceVersion && resourceVersion !== metadata.resourceVersion)
    throw newConflict(
      resource,
      metadata.name ?? '',
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
}

/** The pod with the condition that says why it goes. */
function disrupted(pod: Pod, options: Options, now: string): Pod {
  checkPreconditions(pod, options);
  const next = structuredClone(pod);
  next.status ??= {};
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    observedGeneration: pod.metadata.generation,
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  };
  setCondition(next.status as { conditions?: unknown[] }, condition, now);
  return next;
}

/** k8s storage/eviction.go:addConditionAndDeletePod. */
async function deletePod(services: ServerServices, call: EvictCall): Promise<void> {
  const { namespace, name, context, dryRun } = call;
  const pods = services.store('', 'v1', 'pods');
  let { options } = call;
  if (!dryRun) {
    const now = toTime(services.clock.now());
    const { representation } = await pods.update((pod) => disrupted(pod as Pod, options, now), {
      namespace,
      name,
      context,
      admitted: true,
      subresource: 'status',
      strategy: {},
    });
    const { resourceVersion = '' } = representation.object.metadata;
    if (options.preconditions?.resourceVersion)
      options = { ...options, preconditions: { ...options.preconditions, resourceVersion } };
  }
  await pods.delete({ namespace, name, context, dryRun, admitted: true, options: given(options) });
}

/** The options without what is null. */
function given({ preconditions, ...options }: Options): DeleteOptions {
  return {
    ...withoutNulls(options),
    ...(preconditions ? { preconditions: withoutNulls(preconditions) } : {}),
  } as DeleteOptions;
}

const withVersion = (options: Options, { metadata }: Pod): Options => ({
  ...options,
  preconditions: { ...options.preconditions, resourceVersion: metadata.resourceVersion ?? '' },
});

/** A pod that asks no budget goes, unless it has changed in between; answers any other pod. */
async function evictFreely(services: ServerServices, call: EvictCall): Promise<Pod | undefined> {
  const isBound = Boolean(call.options.preconditions?.resourceVersion);
  for (let left = ATTEMPTS; ; left--) {
    const pod = await readPod(services, call.namespace, call.name);
    if (!needsNoBudget(pod)) return pod;
    const mayChange = pod.status?.phase === 'Pending' && !pod.metadata.deletionTimestamp;
    const options = mayChange && !isBound ? withVersion(call.options, pod) : call.options;
    try {
      await deletePod(services, { ...call, options });
      return undefined;
    } catch (error) {
      if (!isConflict(error) || isBound || left <= 1) throw error;
    }
  }
}

/** What the request and the body say of a dry run (k8s storage/eviction.go:propagateDryRun). */
function optionsOf({ deleteOptions }: Eviction, asked: readonly string[]): Options {
  const options = deleteOptions ?? {};
  const own = options.dryRun ?? [];
  if (own.length === 0) return { ...options, dryRun: [...asked] };
  if (asked.length > 0 && asked.join(' ') !== own.join(' '))
    throw new StatusError(
      500,
      '',
      `Non-matching dry-run options in request and content: [${asked.join(' ')}] and [${own.join(' ')}]`,
    );
  return options;
}

const SEVERAL =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';

async function evict(deps: EvictionDeps, call: EvictCall): Promise<object> {
  const pod = await evictFreely(deps.services, call);
  if (!pod) return success(201);
  const [budget, ...others] = budgetsOf(deps, pod);
  // Upstream answers this as a success whose body is a failure.
  if (others.length > 0) return { ...success(500), status: 'Failure', message: SEVERAL };
  const mustBeSame = budget !== undefined && (await askBudget(deps, pod, budget, call));
  const options = mustBeSame ? withVersion(call.options, pod) : call.options;
  try {
    await deletePod(deps.services, { ...call, options });
  } catch (error) {
    if (isConflict(error) && mustBeSame && !call.options.preconditions?.resourceVersion)
      throw stillProcessed(budget.metadata.name ?? '');
    throw error;
  }
  return success(201);
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
    async handle({ body, request }) {
      const eviction = body as Eviction;
      const { namespace, name } = request.info;
      if (eviction.metadata?.name !== name)
        throw newBadRequest('name in URL does not match name in Eviction object');
      const options = optionsOf(eviction, request.query.getAll('dryRun'));
      const dryRun = dryRunOf(options.dryRun ?? [], 'DeleteOptions');
      const call = { namespace, name, context: request.context, options, dryRun };
      return { object: (await evict(deps, call)) as KubeObject, status: 201 };
    },
  };
}
