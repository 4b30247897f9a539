import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, canonicalCidrFaults, invalid, parseCidr, required } from '@orrery/apimachinery';
import type { ServiceCIDR } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { when } from '../../../meta/findings.js';
import { list } from '../../../meta/list.js';
import { FIELD_IMMUTABLE } from '../../../meta/object-meta.js';
import { keepMetadata, statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const CIDRS = FieldPath.of('spec', 'cidrs');
const ONE_PER_FAMILY =
  'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';

/** k8s pkg/apis/networking/validation/validation.go:validateServiceCIDRSpec. */
function validate({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = list(spec?.cidrs);
  if (cidrs.length === 0) return [required(CIDRS, 'at least one CIDR required')];
  // As upstream's internal type prints.
  if (cidrs.length > 2) return [invalid(CIDRS, { CIDRs: cidrs }, 'may only hold up to 2 values')];
  const [first, second] = cidrs.map((cidr) => parseCidr(String(cidr))?.address.family);
  return [
    ...cidrs.flatMap((cidr, i) =>
      canonicalCidrFaults(String(cidr)).map((fault) => invalid(CIDRS.index(i), cidr, fault)),
    ),
    ...when(first !== undefined && first === second, invalid(CIDRS, cidrs, ONE_PER_FAMILY)),
  ];
}

/** Ranges stay as they are, but a second family may be added. */
function validateUpdate(object: ServiceCIDR, { spec: old }: ServiceCIDR): FieldError[] {
  const now = list(object.spec?.cidrs);
  const before = list(old?.cidrs);
  const isGrown = before.length === 1 && now.length === 2;
  if (now.length !== before.length && !isGrown) return [invalid(CIDRS, now, FIELD_IMMUTABLE)];
  return [
    ...before.flatMap((cidr, i) =>
      when(now[i] !== cidr, invalid(CIDRS.index(i), now[i], FIELD_IMMUTABLE)),
    ),
    ...(isGrown ? validate(object) : []),
  ];
}

export const ServiceCIDRKind = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  scope: 'Cluster',
  strategy: strategyOf<ServiceCIDR>({
    namespaced: false,
    ownsStatus: true,
    initialStatus: () => ({}),
    checkCreate: (object) => validate(object),
    checkUpdate: validateUpdate,
  }),
  status: statusStrategyOf<ServiceCIDR>(undefined, keepMetadata),
  columns: table<ServiceCIDR>([
    nameColumn,
    column('CIDRs', ({ spec }) => list(spec?.cidrs).join(',')),
    ageColumn,
  ]),
  hasGeneration: false,
});
