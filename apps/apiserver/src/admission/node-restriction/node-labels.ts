import type { Node } from '@orrery/api';

/** Labels below kubernetes.io and k8s.io that a kubelet may set on its node (k8s kubelet/apis/well_known_labels.go). */
const OWN_LABELS = new Set([
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'kubernetes.io/arch',
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);
const OWN_PREFIXES = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

function isForbiddenLabel(key: string): boolean {
  if (OWN_LABELS.has(key)) return false;
  const prefix = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  const below = (domain: string): boolean => prefix === domain || prefix.endsWith(`.${domain}`);
  if (below('node-restriction.kubernetes.io')) return true;
  if (OWN_PREFIXES.some(below)) return false;
  return below('kubernetes.io') || below('k8s.io');
}

/** Keys whose value differs. */
function changedLabels(node: Node, old: Node | undefined): string[] {
  const now = node.metadata.labels ?? {};
  const before = old?.metadata.labels ?? {};
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter(
    (key) => now[key] !== before[key],
  );
}

/** Labels that differ and that a kubelet must let be. */
export const forbiddenLabels = (node: Node, old: Node | undefined): string[] =>
  changedLabels(node, old).filter(isForbiddenLabel).sort();
