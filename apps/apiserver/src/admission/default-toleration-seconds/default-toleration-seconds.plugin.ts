import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { podOf } from '../pod-request.js';

/** Lets pods stay some minutes on a node that is not ready (k8s plugin/pkg/admission/defaulttolerationseconds). */
export class DefaultTolerationSeconds implements AdmissionPlugin {
  readonly name = 'DefaultTolerationSeconds';
  private readonly wanted: readonly (readonly [key: string, seconds: number])[];

  constructor({
    notReady,
    unreachable,
  }: {
    readonly notReady: number;
    readonly unreachable: number;
  }) {
    this.wanted = [
      ['node.kubernetes.io/not-ready', notReady],
      ['node.kubernetes.io/unreachable', unreachable],
    ];
  }

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  admit(attributes: AdmissionAttributes): void {
    const pod = podOf(attributes);
    if (!pod?.spec) return;
    const present = pod.spec.tolerations ?? [];
    const lacking = this.wanted.filter(
      ([key]) =>
        !present.some(
          (one) => (one.key === key || !one.key) && (one.effect === 'NoExecute' || !one.effect),
        ),
    );
    if (lacking.length === 0) return;
    pod.spec.tolerations = [
      ...present,
      ...lacking.map(([key, seconds]) => ({
        key,
        operator: 'Exists' as const,
        effect: 'NoExecute' as const,
        tolerationSeconds: seconds,
      })),
    ];
  }
}
