import { setOwn } from '@orrery/apimachinery';
import { isJsonObject } from './structural-schema.js';

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }
  | {
      readonly kind: 'filter';
      readonly path: readonly string[];
      readonly value: string | undefined;
    };

const TOKEN =
  /\.((?:\\.|[^.[\]\\])+)|\[(-?\d+)\]|\[\*\]|\['((?:\\.|[^'\\])*)'\]|\["((?:\\.|[^"\\])*)"\]|\[\?\(\s*@\.([\w.-]+)\s*(?:==\s*['"]?([^'")]*)['"]?\s*)?\)\]/gy;

const unescape = (text: string): string => text.replace(/\\(.)/g, '$1');

/** Reads the subset of JSONPath that printer columns and scale paths use; undefined when it is another. */
export function parseJsonPath(text: string): readonly Step[] | undefined {
  const source = text.trim().replace(/^\{(.*)\}$/s, '$1');
  const path = source.startsWith('.') || source.startsWith('[') ? source : `.${source}`;
  const steps: Step[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < path.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(path);
    if (!match) return undefined;
    const [whole, field, index, single, double, filter, wanted] = match;
    if (field === '*' || whole === '[*]') steps.push({ kind: 'all' });
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
    else if (filter !== undefined)
      steps.push({ kind: 'filter', path: filter.split('.'), value: wanted });
    else steps.push({ kind: 'field', name: unescape(field ?? single ?? double ?? '') });
    if (TOKEN.lastIndex === at) return undefined;
  }
  return steps;
}

const childOf = (value: unknown, name: string): unknown =>
  isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

function elementsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  return isJsonObject(value) ? Object.values(value) : [];
}

function advance(value: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case 'field':
      return [childOf(value, step.name)];
    case 'index':
      return [Array.isArray(value) ? (value as unknown[]).at(step.index) : undefined];
    case 'all':
      return elementsOf(value);
    case 'filter':
      return elementsOf(value).filter((element) => {
        const found = step.path.reduce<unknown>(childOf, element);
        return step.value === undefined ? found !== undefined : `${found as string}` === step.value;
      });
  }
}

/** Every value that the path leads to. */
export function evaluateJsonPath(steps: readonly Step[], root: unknown): unknown[] {
  return steps.reduce<unknown[]>(
    (values, step) =>
      values.flatMap((value) => advance(value, step)).filter((value) => value !== undefined),
    [root],
  );
}

/** Writes through plain fields, making objects on the way. Mutates. */
export function assignJsonPath(steps: readonly Step[], root: object, value: unknown): void {
  let current = root as Record<string, unknown>;
  steps.forEach((step, i) => {
    if (step.kind !== 'field') return;
    const { name } = step;
    // A path may name what every object has of its prototype: it is data here.
    const below = Object.hasOwn(current, name) ? current[name] : undefined;
    const next = i === steps.length - 1 ? value : (below ?? {});
    if (next !== below) setOwn(current, name, next);
    current = next as Record<string, unknown>;
  });
}
