import { newForbidden } from '@orrery/apimachinery';
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  Pod,
  PersistentVolumeClaim,
} from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { podOf, resourceOf } from '../pod-request.js';
import { containerAmounts, podAmounts } from '../pod-resources.js';
import { itemsOf, violations } from './limits.js';

const ANNOTATION = 'kubernetes.io/limit-ranger';

type Field = 'requests' | 'limits';

/** Sets what the container leaves open; answers the names that were set. */
function fill(container: Container, field: Field, defaults: LimitRangeItem['default']): string[] {
  const own = { ...container.resources?.[field] };
  const lacking = Object.entries(defaults ?? {}).filter(([name]) => !(name in own));
  if (lacking.length === 0) return [];
  container.resources = {
    ...container.resources,
    [field]: { ...own, ...Object.fromEntries(lacking) },
  };
  return lacking.map(([name]) => name).sort();
}

function applyDefaults(
  container: Container,
  items: readonly LimitRangeItem[],
  what: string,
): string[] {
  const set: string[] = [];
  for (const item of items) {
    const limits = fill(container, 'limits', item.default);
    const requests = fill(container, 'requests', item.defaultRequest ?? item.default);
    const where = `for ${what} ${container.name}`;
    if (requests.length > 0) set.push(`${requests.join(', ')} request ${where}`);
    if (limits.length > 0) set.push(`${limits.join(', ')} limit ${where}`);
  }
  return set;
}

/** A new pod, or one whose resources change. */
function checkedPod(attributes: AdmissionAttributes): Pod | undefined {
  const { kind, operation, subresource, object } = attributes;
  if (operation === 'CREATE') return podOf(attributes);
  const isResize = kind.group === '' && kind.plural === 'pods' && subresource === 'resize';
  return isResize ? (object as Pod | undefined) : undefined;
}

/** Defaults and bounds of resources by the namespace's LimitRanges (k8s plugin/pkg/admission/limitranger). */
export class LimitRanger implements AdmissionPlugin {
  readonly name = 'LimitRanger';

  /** Indexed by namespace. */
  constructor(private readonly ranges: Pick<LiveReader<LimitRange>, 'indexed'>) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  admit(attributes: AdmissionAttributes): void {
    const pod = attributes.operation === 'CREATE' ? podOf(attributes) : undefined;
    if (!pod?.spec) return;
    const items = itemsOf(this.#of(attributes), 'Container');
    const set = [
      ...pod.spec.containers.flatMap((one) => applyDefaults(one, items, 'container')),
      ...(pod.spec.initContainers ?? []).flatMap((one) =>
        applyDefaults(one, items, 'init container'),
      ),
    ];
    if (set.length === 0) return;
    pod.metadata.annotations = {
      ...pod.metadata.annotations,
      [ANNOTATION]: `LimitRanger plugin set: ${set.join('; ')}`,
    };
  }

  validate(attributes: AdmissionAttributes): void {
    const pod = checkedPod(attributes);
    const problems = pod ? this.#ofPod(attributes, pod) : this.#ofClaim(attributes);
    if (problems.length === 0) return;
    throw newForbidden(
      resourceOf(attributes),
      attributes.name || (attributes.object?.metadata.name ?? ''),
      problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`,
    );
  }

  #of(attributes: AdmissionAttributes): Iterable<LimitRange> {
    return this.ranges.indexed(attributes.namespace ?? '');
  }

  #ofPod(attributes: AdmissionAttributes, pod: Pod): string[] {
    const ranges = [...this.#of(attributes)];
    const containers = itemsOf(ranges, 'Container');
    const problems = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].flatMap(
      (container) =>
        violations(containers, {
          type: 'Container',
          requests: containerAmounts(container, 'requests'),
          limits: containerAmounts(container, 'limits'),
        }),
    );
    const whole = violations(itemsOf(ranges, 'Pod'), {
      type: 'Pod',
      requests: podAmounts(pod, 'requests'),
      limits: podAmounts(pod, 'limits'),
    });
    return [...problems, ...whole];
  }

  #ofClaim(attributes: AdmissionAttributes): string[] {
    const { kind, subresource } = attributes;
    if (kind.group !== '' || kind.plural !== 'persistentvolumeclaims' || subresource !== '')
      return [];
    const claim = attributes.object as PersistentVolumeClaim;
    const container = { name: '', resources: claim.spec?.resources ?? {} } as Container;
    const requests = containerAmounts(container, 'requests');
    return violations(itemsOf(this.#of(attributes), 'PersistentVolumeClaim'), {
      type: 'PersistentVolumeClaim',
      requests,
      // A claim has no limit: what it asks for is what it gets.
      limits: requests,
    });
  }
}
