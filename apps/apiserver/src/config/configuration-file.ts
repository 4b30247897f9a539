import { parseYaml } from '@orrery/apimachinery';
import { ConfigError } from '@orrery/component';

export type Mapping = Readonly<Record<string, unknown>>;

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a YAML file says; `source` names it in what is wrong with it. Throws ConfigError. */
export function readYaml(text: string, source: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${source}: ${why}`, { cause: error });
  }
}

/** The document of a kind in one of these versions. Throws ConfigError that begins with `source`. */
export function documentOf(
  root: unknown,
  kind: string,
  versions: readonly string[],
  source: string,
): Mapping {
  if (!isMapping(root) || root['kind'] !== kind)
    throw new ConfigError(`${source}: kind must be ${kind}`);
  if (!versions.includes(String(root['apiVersion'])))
    throw new ConfigError(`${source}: apiVersion must be ${versions.join(' or ')}`);
  return root;
}

/** What a configuration file says that is of a kind in one of these versions. Throws ConfigError. */
export const readDocument = (
  text: string,
  kind: string,
  versions: readonly string[],
  source: string,
): Mapping => documentOf(readYaml(text, source), kind, versions, source);
