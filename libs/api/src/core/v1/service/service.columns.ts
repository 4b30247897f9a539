import type { Service } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { formatLabels } from '../../../table/cells.js';
import { ageColumn, column, nameColumn, table, wide } from '../../../table/columns.js';

const BALANCER_WIDTH = 16;

function loadBalancerText({ spec, status }: Service): string {
  const given = list(status?.loadBalancer?.ingress)
    .map(({ ip, hostname }) => ip || hostname || '')
    .filter(Boolean);
  const all = [...new Set(given)].sort().join(',');
  const short = all.length > BALANCER_WIDTH ? `${all.slice(0, BALANCER_WIDTH - 3)}...` : all;
  const extern = list(spec?.externalIPs);
  if (extern.length > 0) return [...(short ? [short] : []), ...extern].join(',');
  return short || '<pending>';
}

function externalIp(service: Service): string {
  const { spec } = service;
  if (spec?.type === 'ExternalName') return spec.externalName ?? '';
  if (spec?.type === 'LoadBalancer') return loadBalancerText(service);
  return list(spec?.externalIPs).join(',') || '<none>';
}

function portsText({ spec }: Service): string {
  const texts = list(spec?.ports).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return texts.join(',') || '<none>';
}

export const serviceColumns = table<Service>([
  nameColumn,
  column('Type', ({ spec }) => spec?.type ?? ''),
  column('Cluster-IP', ({ spec }) => list(spec?.clusterIPs)[0] || spec?.clusterIP || '<none>'),
  column('External-IP', externalIp),
  column('Port(s)', portsText),
  ageColumn,
  wide('Selector', ({ spec }) => formatLabels(spec?.selector)),
]);
