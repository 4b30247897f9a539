import { newNotFound } from '@orrery/apimachinery';
import type { Namespace } from '@orrery/api';
import { ConfigError } from '@orrery/component';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import type { PluginConfiguration } from '../admission-configuration.js';
import { forbiddenBy } from '../forbidden.js';
import { podOf } from '../pod-request.js';

const ANNOTATION = 'scheduler.alpha.kubernetes.io/node-selector';

type Selector = ReadonlyMap<string, string>;

/** `a=b,c=d` as labels. */
function parseSelector(text: string): Selector {
  const pairs = text.split(',').filter((part) => part.trim() !== '');
  return new Map(
    pairs.map((pair) => {
      const [key = '', value = ''] = pair.split('=');
      return [key.trim(), value.trim()];
    }),
  );
}

/** PodNodeSelector's part of --admission-control-config-file: selectors by namespace. */
export function readNodeSelectors({ value, source }: PluginConfiguration): Map<string, Selector> {
  const given = (value as { podNodeSelectorPluginConfig?: unknown } | null | undefined)
    ?.podNodeSelectorPluginConfig;
  if (given === undefined || given === null) return new Map();
  if (typeof given !== 'object' || Array.isArray(given))
    throw new ConfigError(`${source}: podNodeSelectorPluginConfig: must be a mapping`);
  return new Map(
    Object.entries(given).map(([namespace, text]) => [namespace, parseSelector(String(text))]),
  );
}

/** Pods get the node selector of their namespace (k8s plugin/pkg/admission/podnodeselector). */
export class PodNodeSelector implements AdmissionPlugin {
  readonly name = 'PodNodeSelector';

  constructor(
    private readonly namespaces: Pick<LiveReader<Namespace>, 'find'>,
    private readonly selectors: ReadonlyMap<string, Selector>,
  ) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE';
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const spec = podOf(attributes)?.spec;
    if (!spec) return;
    const wanted = await this.#check(attributes, spec.nodeSelector ?? {});
    const merged = { ...Object.fromEntries(wanted), ...spec.nodeSelector };
    if (Object.keys(merged).length > 0) spec.nodeSelector = merged;
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const spec = podOf(attributes)?.spec;
    if (!spec) return;
    const own = spec.nodeSelector ?? {};
    await this.#check(attributes, own);
    const allowed = this.selectors.get(attributes.namespace ?? '');
    if (!allowed || allowed.size === 0) return;
    if (!Object.entries(own).every(([key, value]) => allowed.get(key) === value))
      this.#refuse(
        attributes,
        'pod node label selector labels conflict with its namespace whitelist',
      );
  }

  async #check(
    attributes: AdmissionAttributes,
    own: Readonly<Record<string, string>>,
  ): Promise<Selector> {
    const name = attributes.namespace ?? '';
    const namespace = await this.namespaces.find(name);
    if (!namespace) throw newNotFound({ group: '', resource: 'namespaces' }, name);
    const text = namespace.metadata.annotations?.[ANNOTATION];
    const wanted =
      text === undefined
        ? (this.selectors.get('clusterDefaultNodeSelector') ?? new Map<string, string>())
        : parseSelector(text);
    if ([...wanted].some(([key, value]) => own[key] !== undefined && own[key] !== value))
      this.#refuse(
        attributes,
        'pod node label selector conflicts with its namespace node label selector',
      );
    return wanted;
  }

  #refuse(attributes: AdmissionAttributes, why: string): never {
    throw forbiddenBy(attributes, why);
  }
}
