import { newForbidden } from '@orrery/apimachinery';
import type { PodSpec, RuntimeClass } from '@orrery/api';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { podOf, resourceOf } from '../pod-request.js';

type Refuse = (why: string) => never;

function setOverhead(spec: PodSpec, { overhead }: RuntimeClass, refuse: Refuse): void {
  const fixed = overhead?.podFixed;
  if (!fixed) return;
  if (spec.overhead && !equalJson(spec.overhead, fixed))
    refuse("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  spec.overhead = structuredClone(fixed);
}

function schedule(spec: PodSpec, { scheduling }: RuntimeClass, refuse: Refuse): void {
  for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key];
    if (own !== undefined && own !== value)
      refuse(
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      );
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
  }
  const present = spec.tolerations ?? [];
  const added = (scheduling?.tolerations ?? []).filter(
    (one) => !present.some((known) => equalJson(known, one)),
  );
  if (added.length > 0) spec.tolerations = [...present, ...structuredClone(added)];
}

/** Copies overhead, node selector and tolerations of a pod's runtime class (k8s plugin/pkg/admission/runtimeclass). */
export class RuntimeClassPlugin implements AdmissionPlugin {
  readonly name = 'RuntimeClass';

  constructor(private readonly classes: Pick<LiveReader<RuntimeClass>, 'find'>) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE';
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const { spec } = podOf(attributes) ?? {};
    const name = spec?.runtimeClassName;
    if (!spec || !name) return;
    const found = await this.classes.find(name);
    const refuse = (why: string): never => {
      throw newForbidden(resourceOf(attributes), attributes.name, why);
    };
    if (!found) return refuse(`pod rejected: RuntimeClass "${name}" not found`);
    setOverhead(spec, found, refuse);
    schedule(spec, found, refuse);
  }
}
