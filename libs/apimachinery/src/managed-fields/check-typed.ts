import { goValue } from '../patch/go-value.js';
import { isPlainObject } from '../patch/merge-patch.js';
import type { SchemaRegistry } from '../schema/schema-registry.js';
import type { Schema } from '../schema/schema.js';
import type { Steps } from '../steps.js';
import { printElement } from './field-set.js';
import { elementKey, shapeOf } from './typed-node.js';

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}

const isScalar = (value: unknown): boolean => typeof value !== 'object';
/** Definitions whose values are written as more than one JSON type. */
const UNTYPED = /\.(Quantity|IntOrString|Time|MicroTime)$/;

function scalarProblem(value: unknown, type: string): string | undefined {
  if (type === 'string' && typeof value !== 'string') {
    const shown = isScalar(value) ? JSON.stringify(value) : goValue(value);
    return `expected string, got &value.valueUnstructured{Value:${shown}}`;
  }
  if ((type === 'integer' || type === 'number') && typeof value !== 'number')
    return `expected numeric (int or float), got ${goTypeOf(value)}`;
  if (type === 'boolean' && typeof value !== 'boolean')
    return `expected boolean, got ${goTypeOf(value)}`;
  return undefined;
}

/** Where a value is; printed for what is wrong alone. */
interface Place {
  readonly above: Place | undefined;
  /** `.spec`, `[3]`; of an element of a list its key, which is printed as such. */
  readonly part: string;
  readonly isElement?: boolean;
}

const ROOT: Place = { above: undefined, part: '' };

const printPlace = ({ above, part, isElement }: Place): string =>
  (above ? printPlace(above) : '') + (isElement ? printElement(part) : part);

/** Values that are looked at in one go. */
const STEP = 500;

class TypedCheck {
  readonly problems: string[] = [];
  private looked = 0;

  constructor(private readonly registry: SchemaRegistry) {}

  *visit(value: unknown, given: Schema | undefined, path: Place): Steps<void> {
    this.looked += 1;
    if (this.looked % STEP === 0) yield;
    const schema = this.registry.deref(given);
    if (value === null || value === undefined || !schema) return;
    if (UNTYPED.test(given?.$ref ?? '') || schema['x-kubernetes-int-or-string']) return;
    if (schema.type === 'array') yield* this.list(value, schema, path);
    else if (schema.properties || typeof schema.additionalProperties === 'object')
      yield* this.fields(value, schema, path);
    else {
      const problem = scalarProblem(value, schema.type ?? '');
      if (problem !== undefined) this.problems.push(`${printPlace(path)}: ${problem}`);
    }
  }

  private *fields(value: unknown, schema: Schema, path: Place): Steps<void> {
    if (!isPlainObject(value)) {
      this.problems.push(`${printPlace(path)}: expected map, got &{${goValue(value)}}`);
      return;
    }
    const { properties = {}, additionalProperties } = schema;
    for (const key of Object.keys(value).sort()) {
      const field = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
      if (typeof field === 'object')
        yield* this.visit(value[key], field, { above: path, part: `.${key}` });
      else if (!schema['x-kubernetes-preserve-unknown-fields'] && field !== true)
        this.problems.push(`${printPlace(path)}.${key}: field not declared in schema`);
    }
  }

  private *list(value: unknown, schema: Schema, path: Place): Steps<void> {
    if (!Array.isArray(value)) {
      this.problems.push(`${printPlace(path)}: expected list, got &{${goValue(value)}}`);
      return;
    }
    const shape = shapeOf(value, schema);
    const seen = new Set<string>();
    for (const [i, item] of (value as readonly unknown[]).entries()) {
      if (shape !== 'keyed' && shape !== 'set') {
        yield* this.visit(item, schema.items, { above: path, part: `[${i}]` });
        continue;
      }
      const problem = shape === 'keyed' ? this.keyProblem(item, schema) : setProblem(item);
      if (problem !== undefined) {
        this.problems.push(`${printPlace(path)}: element ${i}: ${problem}`);
        continue;
      }
      const key = elementKey(item, shape, schema, this.registry);
      if (seen.has(key))
        this.problems.push(`${printPlace(path)}: duplicate entries for key ${printElement(key)}`);
      seen.add(key);
      yield* this.visit(item, schema.items, { above: path, part: key, isElement: true });
    }
  }

  private keyProblem(item: unknown, schema: Schema): string | undefined {
    if (item === null) return 'associative list with keys may not have a null element';
    if (!isPlainObject(item)) return 'associative list with keys may not have non-map elements';
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    const isKnown = (key: string): boolean =>
      Object.hasOwn(item, key) || this.registry.field(schema.items, key)?.default !== undefined;
    if (keys.length === 0 || keys.some(isKnown)) return undefined;
    const shown = keys.map((key) => JSON.stringify(key)).join(' ');
    return `associative list with keys has an element that omits all key fields [${shown}] (and doesn't have default values for any key fields)`;
  }
}

/** What a set may not hold (structured-merge-diff v6 typed/helpers.go:setItemToPathElement). */
function setProblem(item: unknown): string | undefined {
  if (item === null) return "associative list without keys has an element that's an explicit null";
  if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
  return isPlainObject(item)
    ? "associative list without keys has an element that's a map type"
    : undefined;
}

/**
 * What keeps a configuration from being applied: fields that the schema does not declare, values of the wrong type,
 * list entries twice or without their keys. Undefined when nothing does (structured-merge-diff typed/validate.go). In steps.
 */
export function* typedProblems(
  configuration: unknown,
  schemaName: string,
  registry: SchemaRegistry,
): Steps<string | undefined> {
  const check = new TypedCheck(registry);
  yield* check.visit(configuration, registry.resolve(schemaName), ROOT);
  const { problems } = check;
  if (problems.length === 0) return undefined;
  return problems.length === 1
    ? problems[0]
    : `errors:\n${problems.map((text) => `  ${text}`).join('\n')}`;
}
