import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { forbiddenBy } from '../forbidden.js';
import { podOf } from '../pod-request.js';

const HOSTNAME = 'kubernetes.io/hostname';

/** Hard anti-affinity only between nodes (k8s plugin/pkg/admission/antiaffinity). */
export class LimitPodHardAntiAffinityTopology implements AdmissionPlugin {
  readonly name = 'LimitPodHardAntiAffinityTopology';

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  validate(attributes: AdmissionAttributes): void {
    const terms =
      podOf(attributes)?.spec?.affinity?.podAntiAffinity
        ?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const bad = terms.find(({ topologyKey }) => topologyKey !== HOSTNAME);
    if (bad)
      throw forbiddenBy(
        attributes,
        `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${bad.topologyKey} but only key ${HOSTNAME} is allowed`,
      );
  }
}
