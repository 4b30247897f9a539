import type {
  Container,
  LimitRange,
  LimitRangeItem,
  Pod,
  PersistentVolumeClaim,
} from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy } from '../forbidden.js';
import { podOf } from '../pod-request.js';
import { containerAmounts, podAmounts } from '@orrery/api';
import { claimViolations, itemsOf, violations } from './limits.js';

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

type Judge = (item: LimitRangeItem) => string[];

function judgePod(pod: Pod): Judge {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const ofContainers = containers.map((container) => ({
    type: 'Container',
    requests: containerAmounts(container, 'requests'),
    limits: containerAmounts(container, 'limits'),
  }));
  const ofPod = {
    type: 'Pod',
    requests: podAmounts(pod, 'requests'),
    limits: podAmounts(pod, 'limits'),
  };
  return (item) => {
    if (item.type === 'Container') return violations(item, ofContainers);
    return item.type === 'Pod' ? violations(item, [ofPod]) : [];
  };
}

/** What the limits are asked about; undefined = they say nothing of the request. */
function judgeOf(attributes: AdmissionAttributes): Judge | undefined {
  const pod = checkedPod(attributes);
  if (pod) return judgePod(pod);
  const { kind, subresource, object } = attributes;
  if (kind.group !== '' || kind.plural !== 'persistentvolumeclaims' || subresource !== '')
    return undefined;
  const { spec } = object as PersistentVolumeClaim;
  const container = { name: '', resources: spec?.resources ?? {} } as Container;
  const requests = containerAmounts(container, 'requests');
  return (item) => (item.type === 'PersistentVolumeClaim' ? claimViolations(item, requests) : []);
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

  /** One LimitRange after the other: the first that is broken refuses. */
  validate(attributes: AdmissionAttributes): void {
    const judge = judgeOf(attributes);
    if (!judge) return;
    for (const { spec } of this.#of(attributes)) {
      const problems = [...new Set((spec?.limits ?? []).flatMap(judge))];
      if (problems.length === 0) continue;
      const [only = ''] = problems;
      throw forbiddenBy(attributes, problems.length === 1 ? only : `[${problems.join(', ')}]`);
    }
  }

  #of(attributes: AdmissionAttributes): Iterable<LimitRange> {
    return this.ranges.indexed(attributes.namespace ?? '');
  }
}
