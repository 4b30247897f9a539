import type { Ingress } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { list } from '../../../meta/list.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';
import {
  ingressWarnings,
  validateIngress,
  validateIngressStatus,
  validateIngressUpdate,
} from './ingress.validation.js';

const SHOWN_HOSTS = 3;

function hostsText({ spec }: Ingress): string {
  const hosts = list(spec?.rules)
    .map((rule) => rule.host ?? '')
    .filter(Boolean);
  if (hosts.length === 0) return '*';
  const rest = hosts.length - SHOWN_HOSTS;
  const text = hosts.slice(0, SHOWN_HOSTS).join(',');
  return rest > 0 ? `${text} + ${rest} more...` : text;
}

const addressText = ({ status }: Ingress): string =>
  list(status?.loadBalancer?.ingress)
    .map(({ ip, hostname }) => ip || hostname || '')
    .filter(Boolean)
    .join(',');

export const IngressKind = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  scope: 'Namespaced',
  storagePrefix: 'ingress',
  setDefaults(ingress) {
    ingress.status ??= {};
    ingress.status.loadBalancer ??= {};
  },
  strategy: strategyOf<Ingress>({
    namespaced: true,
    ownsStatus: true,
    initialStatus: () => ({ loadBalancer: {} }),
    checkCreate: validateIngress,
    checkUpdate: validateIngressUpdate,
    warnings: ingressWarnings,
  }),
  status: statusStrategyOf<Ingress>(validateIngressStatus),
  columns: table<Ingress>([
    nameColumn,
    column('Class', ({ spec }) => spec?.ingressClassName ?? '<none>'),
    column('Hosts', hostsText),
    column('Address', addressText),
    column('Ports', ({ spec }) => (list(spec?.tls).length > 0 ? '80, 443' : '80')),
    ageColumn,
  ]),
  hasGeneration: true,
});
