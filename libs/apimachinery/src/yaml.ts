import { parse } from 'yaml';

/** The value of one YAML (or JSON) document; throws for text that is neither. */
export function parseYaml(text: string): unknown {
  return parse(text) as unknown;
}
