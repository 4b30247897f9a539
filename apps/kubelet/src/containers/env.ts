import type {
  ConfigMap,
  Container,
  EnvFromSource,
  EnvVar,
  Pod,
  Secret,
  Service,
} from '@orrery/api';
import { ContainerConfigError, fieldValue, resourceValue } from './downward.js';
import type { PodAddresses } from './downward.js';
import { fileValue } from './env-file.js';
import { expand } from './expand.js';
import { serviceVariables } from './service-env.js';
import type { MountedVolume } from '../volumes/claims.js';

/** Current ConfigMaps and Secrets; undefined when there is none of that name. */
export interface ConfigReader {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
}

export interface EnvContext {
  readonly config: ConfigReader;
  readonly services: Iterable<Service>;
  readonly addresses: PodAddresses;
  readonly allocatable: Readonly<Record<string, string>>;
  /** `cluster.local`; '' = none. */
  readonly clusterDomain: string;
  /** The pod's mounted volumes, of which variables may name files. */
  readonly volumes?: ReadonlyMap<string, MountedVolume>;
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

/** Plain text values of a ConfigMap or Secret; undefined when it does not exist. */
async function dataOf(
  kind: 'ConfigMap' | 'Secret',
  namespace: string,
  name: string,
  config: ConfigReader,
): Promise<Readonly<Record<string, string>> | undefined> {
  if (kind === 'ConfigMap') {
    const found = await config.configMap(namespace, name);
    return found && (found.data ?? {});
  }
  const found = await config.secret(namespace, name);
  return (
    found &&
    Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, decode(value)]))
  );
}

async function readSource(
  pod: Pod,
  source: EnvFromSource,
  config: ConfigReader,
): Promise<[string, string][]> {
  const kind = source.secretRef ? 'Secret' : 'ConfigMap';
  const from = source.secretRef ?? source.configMapRef;
  if (!from) return [];
  const data = await dataOf(kind, pod.metadata.namespace ?? '', from.name ?? '', config);
  if (!data) {
    if (from.optional) return [];
    throw new ContainerConfigError(`${kind.toLowerCase()} "${from.name ?? ''}" not found`);
  }
  return Object.entries(data).map(([key, value]) => [`${source.prefix ?? ''}${key}`, value]);
}

async function readKey(
  pod: Pod,
  kind: 'ConfigMap' | 'Secret',
  selector: { readonly name?: string; readonly key: string; readonly optional?: boolean },
  config: ConfigReader,
): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  const data = await dataOf(kind, namespace, selector.name ?? '', config);
  const value = data?.[selector.key];
  if (value !== undefined || selector.optional) return value;
  throw new ContainerConfigError(
    data
      ? `couldn't find key ${selector.key} in ${kind} ${namespace}/${selector.name ?? ''}`
      : `${kind.toLowerCase()} "${selector.name ?? ''}" not found`,
  );
}

async function valueOf(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  context: EnvContext,
): Promise<string | undefined> {
  const from = variable.valueFrom;
  if (!from) return variable.value ?? '';
  if (from.fieldRef) return fieldValue(pod, from.fieldRef.fieldPath, context.addresses);
  if (from.resourceFieldRef)
    return resourceValue(pod, container, from.resourceFieldRef, context.allocatable);
  if (from.configMapKeyRef) return readKey(pod, 'ConfigMap', from.configMapKeyRef, context.config);
  if (from.secretKeyRef) return readKey(pod, 'Secret', from.secretKeyRef, context.config);
  return from.fileKeyRef ? fileValue(from.fileKeyRef, context.volumes ?? new Map()) : '';
}

/**
 * All variables of a container (k8s pkg/kubelet/kubelet_pods.go:makeEnvironmentVariables): Services first, then
 * envFrom, then env, later ones winning; `$(NAME)` in `value` sees what was defined before it.
 */
export async function makeEnvironment(
  pod: Pod,
  container: Container,
  context: EnvContext,
): Promise<Map<string, string>> {
  const links = serviceVariables(
    context.services,
    pod.metadata.namespace ?? '',
    pod.spec.enableServiceLinks !== false,
  );
  const result = new Map<string, string>();
  for (const source of container.envFrom ?? [])
    for (const [name, value] of await readSource(pod, source, context.config))
      result.set(name, value);
  for (const variable of container.env ?? []) {
    const raw = await valueOf(pod, container, variable, context);
    if (raw === undefined) continue;
    const lookup = (name: string): string | undefined => result.get(name) ?? links.get(name);
    result.set(variable.name, variable.valueFrom ? raw : expand(raw, lookup));
  }
  for (const [name, value] of links) if (!result.has(name)) result.set(name, value);
  return result;
}
