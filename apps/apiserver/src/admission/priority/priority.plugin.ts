import type { Pod, PriorityClass } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy } from '../forbidden.js';
import { podOf } from '../pod-request.js';

type Resolved = Pick<PriorityClass, 'value' | 'preemptionPolicy'>;

/** Classes that every cluster has; they answer even before they are stored (k8s pkg/apis/scheduling/v1/helpers.go). */
const SYSTEM: ReadonlyMap<string, Resolved> = new Map([
  ['system-node-critical', { value: 2_000_001_000 }],
  ['system-cluster-critical', { value: 2_000_000_000 }],
]);

/** Turns priorityClassName into priority and preemptionPolicy (k8s plugin/pkg/admission/priority/admission.go). */
export class Priority implements AdmissionPlugin {
  readonly name = 'Priority';

  constructor(private readonly classes: LiveReader<PriorityClass>) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const pod = podOf(attributes);
    if (!pod?.spec) return;
    if (attributes.operation === 'UPDATE') {
      this.#keep(pod, attributes.oldObject as Pod);
      return;
    }
    const name = pod.spec.priorityClassName ?? '';
    const fallback = name === '' ? this.#globalDefault() : undefined;
    if (fallback) pod.spec.priorityClassName = fallback.metadata.name ?? '';
    const found: Resolved | undefined =
      name === ''
        ? (fallback ?? { value: 0 })
        : (SYSTEM.get(name) ?? (await this.classes.find(name)));
    if (!found) throw forbiddenBy(attributes, `no PriorityClass with name ${name} was found`);
    this.#set(attributes, pod, found);
  }

  /** At most one class is the global default. */
  validate(attributes: AdmissionAttributes): void {
    const { kind, object } = attributes;
    if (kind.group !== 'scheduling.k8s.io' || kind.plural !== 'priorityclasses') return;
    const { globalDefault, metadata } = object as PriorityClass;
    if (!globalDefault) return;
    const other = [...this.classes.values()].find(
      (one) => one.globalDefault && one.metadata.name !== metadata.name,
    );
    if (other)
      throw forbiddenBy(
        attributes,
        `PriorityClass ${other.metadata.name ?? ''} is already marked as default. Only one default can exist`,
      );
  }

  #set(attributes: AdmissionAttributes, pod: Pod, { value, preemptionPolicy }: Resolved): void {
    const { spec } = pod;
    if (!spec) return;
    if (spec.priority !== undefined && spec.priority !== value)
      throw forbiddenBy(
        attributes,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    const policy = preemptionPolicy ?? 'PreemptLowerPriority';
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
      throw forbiddenBy(
        attributes,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      );
    spec.priority = value;
    spec.preemptionPolicy = policy;
  }

  #keep(pod: Pod, old: Pod): void {
    if (!pod.spec || !old.spec) return;
    if (pod.spec.priority === undefined && old.spec.priority !== undefined)
      pod.spec.priority = old.spec.priority;
    if (pod.spec.preemptionPolicy === undefined && old.spec.preemptionPolicy !== undefined)
      pod.spec.preemptionPolicy = old.spec.preemptionPolicy;
  }

  /** Of several defaults, the one with the lowest value. */
  #globalDefault(): PriorityClass | undefined {
    return [...this.classes.values()]
      .filter((one) => one.globalDefault)
      .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  }
}
