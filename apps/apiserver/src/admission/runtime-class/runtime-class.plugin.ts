import type { PodSpec, RuntimeClass } from '@orrery/api';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy } from '../forbidden.js';
import { podOf } from '../pod-request.js';

type Refuse = (why: string) => never;

const OTHER_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

const refusing =
  (attributes: AdmissionAttributes): Refuse =>
  (why) => {
    throw forbiddenBy(attributes, why);
  };

function setOverhead(spec: PodSpec, { overhead }: RuntimeClass, refuse: Refuse): void {
  const fixed = overhead?.podFixed;
  if (!fixed) return;
  if (spec.overhead && !equalJson(spec.overhead, fixed)) refuse(OTHER_OVERHEAD);
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
    const found = spec && (await this.#classOf(attributes, spec));
    if (!found) return;
    const refuse = refusing(attributes);
    setOverhead(spec, found, refuse);
    schedule(spec, found, refuse);
  }

  /** Whatever other plugins did, a pod's overhead is that of its class. */
  async validate(attributes: AdmissionAttributes): Promise<void> {
    const { spec } = podOf(attributes) ?? {};
    if (!spec) return;
    const fixed = (await this.#classOf(attributes, spec))?.overhead?.podFixed;
    const refuse = refusing(attributes);
    if (fixed && !equalJson(spec.overhead, fixed)) refuse(OTHER_OVERHEAD);
    if (!fixed && spec.overhead)
      refuse('pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  }

  async #classOf(
    attributes: AdmissionAttributes,
    { runtimeClassName: name }: PodSpec,
  ): Promise<RuntimeClass | undefined> {
    if (!name) return undefined;
    const found = await this.classes.find(name);
    return found ?? refusing(attributes)(`pod rejected: RuntimeClass "${name}" not found`);
  }
}
