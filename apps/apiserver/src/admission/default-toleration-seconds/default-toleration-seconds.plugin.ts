import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { podOf } from '../pod-request.js';

const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const;
const SECONDS = 300;

/** Lets pods stay five minutes on a node that is not ready (k8s plugin/pkg/admission/defaulttolerationseconds). */
export class DefaultTolerationSeconds implements AdmissionPlugin {
  readonly name = 'DefaultTolerationSeconds';

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  admit(attributes: AdmissionAttributes): void {
    const pod = podOf(attributes);
    if (!pod?.spec) return;
    const present = pod.spec.tolerations ?? [];
    const lacking = KEYS.filter(
      (key) =>
        !present.some(
          (one) => (one.key === key || !one.key) && (one.effect === 'NoExecute' || !one.effect),
        ),
    );
    if (lacking.length === 0) return;
    pod.spec.tolerations = [
      ...present,
      ...lacking.map((key) => ({
        key,
        operator: 'Exists' as const,
        effect: 'NoExecute' as const,
        tolerationSeconds: SECONDS,
      })),
    ];
  }
}
