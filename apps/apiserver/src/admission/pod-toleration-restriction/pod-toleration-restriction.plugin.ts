import { StatusError, newNotFound } from '@orrery/apimachinery';
import { equalJson } from '@orrery/registry';
import type { Namespace, Pod, Toleration } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import type { PluginConfiguration } from '../admission-configuration.js';
import { forbiddenBy } from '../forbidden.js';
import { podOf } from '../pod-request.js';

const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations';
const WHITELIST = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist';

export interface TolerationDefaults {
  readonly default?: readonly Toleration[];
  readonly whitelist?: readonly Toleration[];
}

/** PodTolerationRestriction's part of --admission-control-config-file. */
export const readTolerationDefaults = ({ value }: PluginConfiguration): TolerationDefaults =>
  (value as TolerationDefaults | null | undefined) ?? {};

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

/** All of both, without what others cover (k8s pkg/util/tolerations/tolerations.go:MergeTolerations). */
function merged(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second];
  return all.reduce<Toleration[]>((kept, one, i) => {
    const later = all.slice(i + 1).filter((other) => !equalJson(other, one));
    const isRedundant = [...kept, ...later].some((other) => covers(other, one));
    return isRedundant ? kept : [...kept, one];
  }, []);
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
    const isNew = attributes.operation === 'CREATE';
    const extra = isNew
      ? ((await this.#read(attributes, DEFAULTS)) ?? this.defaults.default ?? [])
      : [];
    const own = merged(pod.spec.tolerations ?? [], extra);
    const pressure: Toleration = {
      key: 'node.kubernetes.io/memory-pressure',
      operator: 'Exists',
      effect: 'NoSchedule',
    };
    const all = isBestEffort(pod) ? own : merged(own, [pressure]);
    if (all.length > 0) pod.spec.tolerations = all;
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const pod = podOf(attributes);
    const own = pod?.spec?.tolerations ?? [];
    if (own.length === 0) return;
    const ofNamespace = await this.#read(attributes, WHITELIST);
    const allowed = ofNamespace ?? this.defaults.whitelist ?? [];
    if (allowed.length === 0) return;
    if (own.every((one) => allowed.some((other) => covers(other, one)))) return;
    const scope = ofNamespace ? 'namespace' : 'cluster';
    // Upstream's is no error of the API, which makes it a 500.
    throw new StatusError(
      500,
      '',
      `pod tolerations (possibly merged with namespace default tolerations) conflict with its ${scope} whitelist`,
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
    throw forbiddenBy(attributes, why);
  }
}
