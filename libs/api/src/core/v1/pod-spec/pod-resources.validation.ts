import type { FieldError, FieldPath } from '@orrery/apimachinery';
import {
  forbidden,
  formatQuantity,
  invalid,
  notSupported,
  parseQuantity,
} from '@orrery/apimachinery';
import { addQuantities, compareQuantities, zeroQuantity } from '@orrery/apimachinery';
import type { Quantity } from '@orrery/apimachinery';
import type { Container, PodSpec } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { entries, eachOf, list } from '../../../meta/list.js';
import { canonicalAmount, compareAmounts } from '../../../meta/quantity.js';
import { isHugePages, validateResourceName } from '../../../meta/resource-names.js';
import { validateResources } from './resources.validation.js';
import type { ResourceNameRule } from './resources.validation.js';

/** What a pod as a whole can ask for. */
export const isPodResource = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || isHugePages(name);

const podResourceName: ResourceNameRule = (name, path) => {
  const findings = validateResourceName(name, path);
  return findings.length > 0
    ? findings
    : when(!isPodResource(name), notSupported(path, name, ['cpu', 'hugepages-', 'memory']));
};

type Field = 'requests' | 'limits';

const amountOf = (container: Container, field: Field, name: string): Quantity => {
  try {
    return parseQuantity(container.resources?.[field]?.[name] ?? '0');
  } catch {
    return zeroQuantity;
  }
};

const larger = (a: Quantity, b: Quantity): Quantity => (compareQuantities(a, b) < 0 ? b : a);

/** What the containers need at the most demanding moment: init containers run one by one, sidecars stay. */
export function aggregate(spec: PodSpec, field: Field, name: string): Quantity {
  let sidecars = zeroQuantity;
  let initPeak = zeroQuantity;
  for (const container of list(spec.initContainers)) {
    const amount = amountOf(container, field, name);
    const isSidecar = container.restartPolicy === 'Always';
    initPeak = larger(initPeak, addQuantities(sidecars, amount));
    if (isSidecar) sidecars = addQuantities(sidecars, amount);
  }
  const main = list(spec.containers).reduce(
    (sum, container) => addQuantities(sum, amountOf(container, field, name)),
    sidecars,
  );
  return larger(main, initPeak);
}

function validateAggregates(spec: PodSpec, field: Field, path: FieldPath): FieldError[] {
  return entries(spec.resources?.[field])
    .filter(([name]) => field === 'requests' || isHugePages(name))
    .flatMap(([name, amount]) => {
      const total = formatQuantity(aggregate(spec, field, name));
      const text = `must be greater than or equal to aggregate container ${field} of ${total}`;
      return when(
        compareAmounts(total, amount) > 0,
        invalid(path.child(field).key(name), canonicalAmount(amount), text),
      );
    });
}

/** Resources of the pod as a whole (k8s pkg/apis/core/validation/validation.go:validatePodResources). */
export function validatePodResources(spec: PodSpec, path: FieldPath): FieldError[] {
  const { resources } = spec;
  if (!resources) return [];
  const at = path.child('resources');
  if (spec.os?.name === 'windows') return [forbidden(at, 'may not be set for a windows pod')];
  const overLimit = eachOf(spec.containers, (container, i) =>
    entries(container.resources?.limits).flatMap(([name, limit]) => {
      const ofPod = resources.limits?.[name];
      // Upstream puts the index and the key before `limits`.
      const here = at.child('containers').index(i).key(name).child('limits');
      const text = `must be less than or equal to pod limits of ${canonicalAmount(ofPod)}`;
      return when(
        ofPod !== undefined && compareAmounts(limit, ofPod) > 0,
        invalid(here, canonicalAmount(limit), text),
      );
    }),
  );
  return [
    ...when(
      list(resources.claims).length > 0,
      forbidden(at.child('claims'), 'claims may not be set for Resources at pod-level'),
    ),
    ...validateResources(resources, at, [], podResourceName),
    ...validateAggregates(spec, 'requests', at),
    ...validateAggregates(spec, 'limits', at),
    ...overLimit,
  ];
}
