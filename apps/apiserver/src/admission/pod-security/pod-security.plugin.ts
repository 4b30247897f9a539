import type { FieldError, KubeObject } from '@orrery/apimachinery';
import { controllerOf, newInternalError, newInvalid } from '@orrery/apimachinery';
import type { Namespace, Pod, PodSpec } from '@orrery/api';
import { deepEqual } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy } from '../forbidden.js';
import type { AnyContainer, CheckedPod } from './check.js';
import type { PodSecurityConfiguration } from './configuration.js';
import { showDetails, showReasons, violationsOf } from './evaluate.js';
import type { PodSecurityMetrics } from './pod-security-metrics.js';
import type { LevelVersion, Policy } from './policy.js';
import { PREFIX, isPrivileged, isStricter, policyOf, sameLevel, showLevel } from './policy.js';

export interface PodSecurityDeps {
  readonly namespaces: Pick<LiveReader<Namespace>, 'find'>;
  readonly pods: Pick<LiveReader<Pod>, 'values'>;
  readonly configuration: PodSecurityConfiguration;
  readonly metrics: PodSecurityMetrics;
}

/** Subresources of pods that change nothing of what is checked. */
const IGNORED = new Set([
  'exec',
  'attach',
  'binding',
  'eviction',
  'log',
  'portforward',
  'proxy',
  'status',
]);

const WITH_TEMPLATE = new Set([
  '/replicationcontrollers',
  '/podtemplates',
  'apps/replicasets',
  'apps/deployments',
  'apps/statefulsets',
  'apps/daemonsets',
  'batch/jobs',
  'batch/cronjobs',
]);

/** Pods looked at when a namespace becomes stricter (k8s pod-security-admission admission/admission.go). */
const MAX_PODS = 3000;

interface Template {
  readonly metadata?: CheckedPod['metadata'];
  readonly spec?: PodSpec;
}

/** The pod template of a workload. */
function templateOf(object: KubeObject): CheckedPod | undefined {
  const { template, spec } = object as KubeObject & {
    template?: Template;
    spec?: { template?: Template; jobTemplate?: { spec?: { template?: Template } } };
  };
  const found = template ?? spec?.template ?? spec?.jobTemplate?.spec?.template;
  return found?.spec ? { metadata: found.metadata ?? {}, spec: found.spec } : undefined;
}

/** True when the update brings another image or container. */
function isSignificant(pod: Pod, old: Pod): boolean {
  const differs = (
    now: readonly AnyContainer[] = [],
    before: readonly AnyContainer[] = [],
  ): boolean =>
    now.length !== before.length || now.some((one, i) => one.image !== before[i]?.image);
  return (
    differs(pod.spec?.containers, old.spec?.containers) ||
    differs(pod.spec?.initContainers, old.spec?.initContainers) ||
    (pod.spec?.ephemeralContainers ?? []).some(
      (one) =>
        old.spec?.ephemeralContainers?.find(({ name }) => name === one.name)?.image !== one.image,
    )
  );
}

/** The Pod Security Standards, by the labels of namespaces (k8s pod-security-admission admission/admission.go). */
export class PodSecurity implements AdmissionPlugin {
  readonly name = 'PodSecurity';

  constructor(private readonly deps: PodSecurityDeps) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const { kind, subresource, object } = attributes;
    if (!object) return;
    const id = `${kind.group}/${kind.plural}`;
    if (id === '/pods') {
      if (!IGNORED.has(subresource)) await this.#pod(attributes);
    } else if (subresource !== '') return;
    else if (id === '/namespaces') this.#namespace(attributes);
    else if (WITH_TEMPLATE.has(id)) await this.#workload(attributes);
  }

  #policyOf({ metadata }: KubeObject): { policy: Policy; errors: readonly FieldError[] } {
    return policyOf(metadata.labels ?? {}, this.deps.configuration.defaults);
  }

  #isExempt(attributes: AdmissionAttributes): boolean {
    const { namespace, context } = attributes;
    const { namespaces, usernames } = this.deps.configuration.exemptions;
    const by = namespaces.includes(namespace ?? '')
      ? 'namespace'
      : usernames.includes(context.user.name)
        ? 'user'
        : undefined;
    if (by === undefined) return false;
    context.annotate?.(`${PREFIX}exempt`, by);
    this.deps.metrics.exempted(attributes);
    return true;
  }

  #namespace(attributes: AdmissionAttributes): void {
    const { object, oldObject, kind, context } = attributes;
    if (!object) return;
    const name = object.metadata.name ?? '';
    const { policy, errors } = this.#policyOf(object);
    const old = oldObject && this.#policyOf(oldObject);
    if (errors.length > 0 && (!old || old.errors.length === 0 || !deepEqual(errors, old.errors)))
      throw newInvalid(kind, name, errors);
    if (!old || sameLevel(policy.enforce, old.policy.enforce)) return;
    const { enforce } = policy;
    const isRelaxed =
      enforce.version === old.policy.enforce.version &&
      !isStricter(enforce.level, old.policy.enforce.level);
    if (enforce.level === 'privileged' || isRelaxed) return;
    if (this.deps.configuration.exemptions.namespaces.includes(name)) return;
    for (const warning of this.#warningsOf(name, enforce)) context.warn(warning);
  }

  /** What the pods that are there do against a new level. */
  #warningsOf(namespace: string, level: LevelVersion): string[] {
    const { runtimeClasses } = this.deps.configuration.exemptions;
    const pods = [...this.deps.pods.values()].filter(
      ({ metadata, spec }) =>
        metadata.namespace === namespace && !runtimeClasses.includes(spec?.runtimeClassName ?? ''),
    );
    const seen = new Set<string>();
    const [first, more]: [Pod[], Pod[]] = [[], []];
    for (const pod of pods) {
      const uid = controllerOf(pod)?.uid;
      (uid !== undefined && seen.has(uid) ? more : first).push(pod);
      if (uid !== undefined) seen.add(uid);
    }
    const found = new Map<string, string[]>();
    for (const { metadata, spec } of [...first, ...more].slice(0, MAX_PODS)) {
      const violations = spec ? violationsOf({ metadata, spec }, level) : [];
      if (violations.length === 0) continue;
      const reasons = showReasons(violations);
      found.set(reasons, [...(found.get(reasons) ?? []), metadata.name ?? '']);
    }
    const lines = [...found].map(([reasons, names]) => {
      const [one = ''] = names.sort();
      const others = names.length - 1;
      const rest = others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`;
      return `${one}${rest}: ${reasons}`;
    });
    return [
      ...(pods.length > MAX_PODS
        ? [
            `new PodSecurity enforce level only checked against the first ${MAX_PODS} of ${pods.length} existing pods`,
          ]
        : []),
      ...(lines.length > 0
        ? [
            `existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${showLevel(level)}"`,
          ]
        : []),
      ...lines.sort(),
    ];
  }

  async #pod(attributes: AdmissionAttributes): Promise<void> {
    if (this.#isExempt(attributes)) return;
    const namespace = await this.deps.namespaces.find(attributes.namespace ?? '');
    const { metrics } = this.deps;
    if (!namespace) {
      metrics.failed(attributes, true);
      throw newInternalError(`failed to lookup namespace "${attributes.namespace ?? ''}"`);
    }
    const { policy, errors } = this.#policyOf(namespace);
    const { context } = attributes;
    if (errors.length === 0 && isPrivileged(policy)) {
      context.annotate?.(`${PREFIX}enforce-policy`, 'privileged:latest');
      metrics.evaluated(attributes, 'enforce', policy.enforce, 'allow');
      return;
    }
    const pod = attributes.object as Pod;
    const isUpdate = attributes.operation === 'UPDATE';
    if (isUpdate && !isSignificant(pod, attributes.oldObject as Pod)) return;
    const { spec, metadata } = pod;
    if (errors.length > 0) metrics.failed(attributes, false);
    if (spec) this.#evaluate(attributes, { metadata, spec }, policy, true);
  }

  async #workload(attributes: AdmissionAttributes): Promise<void> {
    if (this.#isExempt(attributes)) return;
    const namespace = await this.deps.namespaces.find(attributes.namespace ?? '');
    if (!namespace || !attributes.object) return;
    const { policy, errors } = this.#policyOf(namespace);
    const { warn, audit } = policy;
    if (errors.length === 0 && warn.level === 'privileged' && audit.level === 'privileged') return;
    if (errors.length > 0) this.deps.metrics.failed(attributes, false);
    const template = templateOf(attributes.object);
    if (template) this.#evaluate(attributes, template, policy, false);
  }

  #evaluate(
    attributes: AdmissionAttributes,
    pod: CheckedPod,
    { enforce, audit, warn }: Policy,
    enforces: boolean,
  ): void {
    const { context } = attributes;
    const { metrics, configuration } = this.deps;
    const { runtimeClasses } = configuration.exemptions;
    if (pod.spec.runtimeClassName && runtimeClasses.includes(pod.spec.runtimeClassName)) {
      context.annotate?.(`${PREFIX}exempt`, 'runtimeClass');
      metrics.exempted(attributes);
      return;
    }
    if (enforces) context.annotate?.(`${PREFIX}enforce-policy`, showLevel(enforce));
    const text = (level: LevelVersion): string | undefined => {
      const violations = violationsOf(pod, level);
      if (violations.length === 0) return undefined;
      return `PodSecurity "${showLevel(level)}": ${showDetails(violations)}`;
    };
    const audited = text(audit);
    if (audited) {
      context.annotate?.(`${PREFIX}audit-violations`, `would violate ${audited}`);
      metrics.evaluated(attributes, 'audit', audit, 'deny');
    }
    if (enforces) {
      const enforced = text(enforce);
      metrics.evaluated(attributes, 'enforce', enforce, enforced ? 'deny' : 'allow');
      if (enforced) throw forbiddenBy(attributes, `violates ${enforced}`);
    }
    const warned = text(warn);
    if (!warned) return;
    context.warn(`would violate ${warned}`);
    metrics.evaluated(attributes, 'warn', warn, 'deny');
  }
}
