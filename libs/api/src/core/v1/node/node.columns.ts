import type { Node } from '../../../types.js';
import { entries, list } from '../../../meta/list.js';
import { ageColumn, column, nameColumn, table, wide } from '../../../table/columns.js';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

function statusText({ spec, status }: Node): string {
  const ready = list(status?.conditions).find((condition) => condition.type === 'Ready');
  const text = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return spec?.unschedulable ? `${text},SchedulingDisabled` : text;
}

function rolesText({ metadata }: Node): string {
  const roles = entries(metadata.labels).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)];
    return key === ROLE_LABEL && value ? [value] : [];
  });
  return [...new Set(roles.filter(Boolean))].sort().join(',') || '<none>';
}

const addressText = (node: Node, type: string): string =>
  list(node.status?.addresses).find((address) => address.type === type)?.address || '<none>';

const orUnknown = (text: string | undefined): string => text || '<unknown>';

export const nodeColumns = table<Node>([
  nameColumn,
  column('Status', statusText),
  column('Roles', rolesText),
  ageColumn,
  column('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
  wide('Internal-IP', (node) => addressText(node, 'InternalIP')),
  wide('External-IP', (node) => addressText(node, 'ExternalIP')),
  wide('OS-Image', ({ status }) => orUnknown(status?.nodeInfo?.osImage)),
  wide('Kernel-Version', ({ status }) => orUnknown(status?.nodeInfo?.kernelVersion)),
  wide('Container-Runtime', ({ status }) => orUnknown(status?.nodeInfo?.containerRuntimeVersion)),
]);
