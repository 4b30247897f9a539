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
