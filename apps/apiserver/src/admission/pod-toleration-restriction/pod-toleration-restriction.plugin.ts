import { newForbidden, newNotFound } from '@orrery/apimachinery';
import type { Namespace, Pod, Toleration } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import type { PluginConfiguration } from '../admission-configuration.js';
import { podOf, resourceOf } from '../pod-request.js';

const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations';
const WHITELIST = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist';

export interface TolerationDefaults {
  readonly default?: readonly Toleration[];
  readonly whitelist?: readonly Toleration[];
}

/** PodTolerationRestriction's part of --admission-control-config-file. */
export const readTolerationDefaults = ({ value }: PluginConfiguration): TolerationDefaults =>
  (value as TolerationDefaults | null | undefined) ?? {};

const isSame = (a: Toleration, b: Toleration): boolean =>
  (a.key ?? '') === (b.key ?? '') &&
  (a.effect ?? '') === (b.effect ?? '') &&
  (a.operator ?? 'Equal') === (b.operator ?? 'Equal') &&
  (a.value ?? '') === (b.value ?? '');

/** `allowed` tolerates at least what `asked` does. */
function covers(allowed: Toleration, asked: Toleration): boolean {
  if (allowed.key && allowed.key !== asked.key) return false;
  if (allowed.effect && allowed.effect !== asked.effect) return false;
  if (allowed.tolerationSeconds !== undefined) {
    if (asked.tolerationSeconds === undefined) return false;
    if (asked.tolerationSeconds > allowed.tolerationSeconds) return false;
  }
  if (allowed.operator === 'Exists') return true;
  return (asked.operator ?? 'Equal') === 'Equal' && (allowed.value ?? '') === (asked.value ?? '');
}

const isBestEffort = (pod: Pod): boolean =>
  (pod.spec?.containers ?? []).every(
    ({ resources }) =>
      Object.keys(resources?.requests ?? {}).length === 0 &&
      Object.keys(resources?.limits ?? {}).length === 0,
  );

/** Tolerations by namespace: its defaults are added, its whitelist bounds them (k8s plugin/pkg/admission/podtolerationrestriction). */
export class PodTolerationRestriction implements AdmissionPlugin {
  readonly name = 'PodTolerationRestriction';

  constructor(
    private readonly namespaces: Pick<LiveReader<Namespace>, 'find'>,
    private readonly defaults: TolerationDefaults,
  ) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const pod = podOf(attributes);
    if (!pod?.spec) return;
    const own = [...(pod.spec.tolerations ?? [])];
    if (attributes.operation === 'CREATE') {
      const extra = (await this.#read(attributes, DEFAULTS)) ?? this.defaults.default ?? [];
      const conflict = extra.some((one) =>
        own.some(
          (other) =>
            (one.key ?? '') === (other.key ?? '') &&
            (one.effect ?? '') === (other.effect ?? '') &&
            !isSame(one, other),
        ),
      );
      if (conflict) this.#refuse(attributes, 'namespace tolerations and pod tolerations conflict');
      for (const one of extra) if (!own.some((other) => isSame(one, other))) own.push(one);
    }
    const pressure: Toleration = {
      key: 'node.kubernetes.io/memory-pressure',
      operator: 'Exists',
      effect: 'NoSchedule',
    };
    if (!isBestEffort(pod) && !own.some((one) => covers(one, pressure))) own.push(pressure);
    if (own.length > 0) pod.spec.tolerations = own;
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const pod = podOf(attributes);
    const own = pod?.spec?.tolerations ?? [];
    if (own.length === 0) return;
    const allowed = (await this.#read(attributes, WHITELIST)) ?? this.defaults.whitelist ?? [];
    if (allowed.length === 0) return;
    if (!own.every((one) => allowed.some((other) => covers(other, one))))
      this.#refuse(
        attributes,
        'pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
      );
  }

  async #read(attributes: AdmissionAttributes, key: string): Promise<Toleration[] | undefined> {
    const name = attributes.namespace ?? '';
    const namespace = await this.namespaces.find(name);
    if (!namespace) throw newNotFound({ group: '', resource: 'namespaces' }, name);
    const text = namespace.metadata.annotations?.[key];
    if (text === undefined) return undefined;
    try {
      const parsed: unknown = JSON.parse(text || '[]');
      if (Array.isArray(parsed)) return parsed as Toleration[];
    } catch {
      // Told below.
    }
    return this.#refuse(
      attributes,
      `annotation ${key} of namespace ${name} is no list of tolerations`,
    );
  }

  #refuse(attributes: AdmissionAttributes, why: string): never {
    throw newForbidden(resourceOf(attributes), attributes.name, why);
  }
}
