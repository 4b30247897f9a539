import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { ConfigError } from '@orrery/component';
import { documentOf, isMapping, readYaml } from '../config/configuration-file.js';

/** The configuration of one plugin, and the file it was read from. */
export interface PluginConfiguration {
  readonly value: unknown;
  readonly source: string;
}

export type PluginConfigurations = (plugin: string) => PluginConfiguration;

const FLAG = '--admission-control-config-file';

function readPart(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${FLAG}: ${path}: ${why}`, { cause: error });
  }
  return readYaml(text, `${FLAG}: ${path}`);
}

/** Reads --admission-control-config-file (AdmissionConfiguration of apiserver.config.k8s.io/v1). Throws ConfigError. */
export function readAdmissionConfiguration(path: string): PluginConfigurations {
  const none = { value: undefined, source: FLAG };
  if (path === '') return () => none;
  const at = `${FLAG}: ${path}`;
  const versions = ['apiserver.config.k8s.io/v1'];
  const root = documentOf(readPart(path), 'AdmissionConfiguration', versions, at);
  const fail = (why: string): never => {
    throw new ConfigError(`${at}: ${why}`);
  };
  const plugins = root['plugins'] ?? [];
  if (!Array.isArray(plugins)) return fail('plugins must be a list');
  const found = new Map<string, PluginConfiguration>();
  for (const plugin of plugins as unknown[]) {
    if (!isMapping(plugin) || typeof plugin['name'] !== 'string') return fail('plugins need names');
    const file = plugin['path'];
    if (typeof file === 'string' && file !== '') {
      const source = isAbsolute(file) ? file : join(dirname(path), file);
      found.set(plugin['name'], { value: readPart(source), source });
    } else found.set(plugin['name'], { value: plugin['configuration'], source: path });
  }
  return (name) => found.get(name) ?? none;
}
