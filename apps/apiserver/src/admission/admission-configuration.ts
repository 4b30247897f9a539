import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parseYaml } from '@orrery/apimachinery';
import { ConfigError } from '@orrery/component';

/** The configuration of one plugin, and the file it was read from. */
export interface PluginConfiguration {
  readonly value: unknown;
  readonly source: string;
}

export type PluginConfigurations = (plugin: string) => PluginConfiguration;

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readYaml(path: string): unknown {
  try {
    return parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--admission-control-config-file: ${path}: ${why}`, { cause: error });
  }
}

/** Reads --admission-control-config-file (AdmissionConfiguration of apiserver.config.k8s.io/v1). Throws ConfigError. */
export function readAdmissionConfiguration(path: string): PluginConfigurations {
  const none = { value: undefined, source: '--admission-control-config-file' };
  if (path === '') return () => none;
  const root = readYaml(path);
  const fail = (why: string): never => {
    throw new ConfigError(`--admission-control-config-file: ${path}: ${why}`);
  };
  if (!isMapping(root) || root['kind'] !== 'AdmissionConfiguration')
    return fail('kind must be AdmissionConfiguration');
  if (root['apiVersion'] !== 'apiserver.config.k8s.io/v1')
    return fail('apiVersion must be apiserver.config.k8s.io/v1');
  const plugins = root['plugins'] ?? [];
  if (!Array.isArray(plugins)) return fail('plugins must be a list');
  const found = new Map<string, PluginConfiguration>();
  for (const plugin of plugins as unknown[]) {
    if (!isMapping(plugin) || typeof plugin['name'] !== 'string') return fail('plugins need names');
    const file = plugin['path'];
    if (typeof file === 'string' && file !== '') {
      const source = isAbsolute(file) ? file : join(dirname(path), file);
      found.set(plugin['name'], { value: readYaml(source), source });
    } else found.set(plugin['name'], { value: plugin['configuration'], source: path });
  }
  return (name) => found.get(name) ?? none;
}
