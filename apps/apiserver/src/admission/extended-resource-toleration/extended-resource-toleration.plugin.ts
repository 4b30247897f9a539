import type { Toleration } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { podOf } from '../pod-request.js';

const NATIVE = /^(?:requests\.)|^hugepages-|(?:^|\.)kubernetes\.io\//;

/** Resources with a domain of their own (k8s pkg/apis/core/helper:IsExtendedResourceName). */
const isExtended = (name: string): boolean => name.includes('/') && !NATIVE.test(name);

/** Pods that ask for an extended resource tolerate the taint of its name (k8s plugin/pkg/admission/extendedresourcetoleration). */
export class ExtendedResourceToleration implements AdmissionPlugin {
  readonly name = 'ExtendedResourceToleration';

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  admit(attributes: AdmissionAttributes): void {
    const spec = podOf(attributes)?.spec;
    if (!spec) return;
    const asked = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      Object.keys(resources?.requests ?? {}).filter(isExtended),
    );
    const tolerations: Toleration[] = [...(spec.tolerations ?? [])];
    for (const key of [...new Set(asked)].sort()) {
      const has = tolerations.some(
        (one) => one.key === key && one.operator === 'Exists' && !one.effect,
      );
      if (!has) tolerations.push({ key, operator: 'Exists' });
    }
    if (tolerations.length > 0) spec.tolerations = tolerations;
  }
}
