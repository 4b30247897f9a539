import type {
  Node,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
} from '@orrery/api';

const INTEGER = /^[+-]?\d+$/;

function compare(value: string | undefined, limit: string | undefined): number | undefined {
  if (value === undefined || limit === undefined) return undefined;
  if (!INTEGER.test(value) || !INTEGER.test(limit)) return undefined;
  const [a, b] = [BigInt(value), BigInt(limit)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function holds(requirement: NodeSelectorRequirement, value: string | undefined): boolean {
  const { operator, values = [] } = requirement;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compare(value, values[0]) === 1;
    case 'Lt':
      return compare(value, values[0]) === -1;
    default:
      return false;
  }
}

/** All requirements of a term; a term without any selects nothing. */
export function nodeMatchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const { labels, name } = node.metadata;
  return (
    matchExpressions.every((each) => holds(each, labels?.[each.key])) &&
    matchFields.every((each) => each.key === 'metadata.name' && holds(each, name))
  );
}

export const nodeMatchesSelector = (selector: NodeSelector, node: Node): boolean =>
  (selector.nodeSelectorTerms ?? []).some((term) => nodeMatchesTerm(term, node));

/** nodeSelector and the required node affinity of a pod (k8s component-helpers nodeaffinity.go). */
export function nodeMatchesPod({ spec }: Pick<Pod, 'spec'>, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {}))
    if (labels[key] !== value) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || nodeMatchesSelector(required, node);
}
