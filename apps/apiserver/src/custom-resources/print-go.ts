import { isJsonObject } from './structural-schema.js';

/** A value and its type, as Go's %v and %T print them. */
export function printGo(value: unknown): readonly [text: string, type: string] {
  if (value === null) return ['<nil>', '<nil>'];
  if (Array.isArray(value)) {
    const items = (value as unknown[]).map((one) => printGo(one)[0]);
    return [`[${items.join(' ')}]`, '[]interface {}'];
  }
  if (isJsonObject(value)) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${key}:${printGo(value[key])[0]}`);
    return [`map[${members.join(' ')}]`, 'map[string]interface {}'];
  }
  if (typeof value === 'number')
    return [String(value), Number.isInteger(value) ? 'int64' : 'float64'];
  return typeof value === 'boolean' ? [String(value), 'bool'] : [value as string, 'string'];
}
