import type { Service, ServiceSpec } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { dnsLabel } from '../../../meta/names.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { isHeadless } from './service.defaults.js';
import {
  dropTypeDependentFields,
  keepAllocated,
  syncAddresses,
  syncNewAddresses,
} from './service-update.js';
import {
  validateService,
  validateServiceStatus,
  validateServiceUpdate,
} from './service.validation.js';
import { serviceWarnings } from './service.warnings.js';

/** Families of an update that says nothing of them; the policy alone may give the second up. */
function keepFamilies(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return;
  if (old.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
  const isSingle = spec.ipFamilyPolicy === 'SingleStack';
  const isSame = (now: readonly string[], before: readonly string[]): boolean =>
    now.length === before.length && now.every((value, i) => value === before[i]);
  if (isSingle && isSame(list(spec.clusterIPs), list(old.clusterIPs)))
    spec.clusterIPs = spec.clusterIPs?.slice(0, 1);
  if (list(spec.ipFamilies).length === 0 && old.ipFamilies !== undefined)
    spec.ipFamilies = isHeadless(spec)
      ? [...old.ipFamilies]
      : old.ipFamilies.slice(0, list(spec.clusterIPs).length || old.ipFamilies.length);
  if (isSingle && isSame(list(spec.ipFamilies), list(old.ipFamilies)))
    spec.ipFamilies = spec.ipFamilies?.slice(0, 1);
}

/** k8s pkg/registry/core/service/strategy.go; addresses and node ports are allocated by the API server. */
export const serviceStrategy = strategyOf<Service>({
  namespaced: true,
  allowCreateOnUpdate: true,
  // Names may begin with a digit (RelaxedServiceNameValidation).
  name: dnsLabel,
  ownsStatus: true,
  initialStatus: () => ({ loadBalancer: {} }),
  prepareForCreate({ spec }) {
    if (spec) syncNewAddresses(spec);
  },
  prepareForUpdate(service, old) {
    const { spec } = service;
    if (!spec || !old.spec) return;
    keepAllocated(spec, old.spec);
    syncAddresses(spec, old.spec);
    keepFamilies(spec, old.spec);
    dropTypeDependentFields(service, old);
  },
  checkCreate: validateService,
  checkUpdate: validateServiceUpdate,
  warnings: serviceWarnings,
});

export const serviceStatusStrategy = statusStrategyOf<Service>(validateServiceStatus);
