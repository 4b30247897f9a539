import { canonicalJson } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import { ageOf } from '@orrery/api';
import type { TableCell, TableColumn, TableColumns } from '@orrery/api';
import { evaluateJsonPath, parseJsonPath } from './json-path.js';

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

const NAME: TableColumn = { name: 'Name', type: 'string', format: 'name' };
const AGE: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

const LEADING_DATE = /^\d{4}-\d{2}-\d{2}[Tt]/;

function dateCell(value: unknown, now: number): TableCell {
  if (typeof value !== 'string') return null;
  return value === '' || LEADING_DATE.test(value) ? ageOf(value, now) : '<invalid>';
}

/** Texts as they are, what has members as JSON, its keys in order (k8s client-go util/jsonpath/jsonpath.go:PrintResults). */
const textCell = (value: unknown): TableCell =>
  typeof value === 'string' ? value : canonicalJson(value);

/** The first value that a path leads to (apiextensions-apiserver …/tableconvertor.go:cellForJSONValue). */
function toCell(values: readonly unknown[], type: string, now: number): TableCell {
  const [value] = values;
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return dateCell(value, now);
    default:
      return textCell(value);
  }
}

const TYPES = ['integer', 'number', 'string', 'boolean', 'date'] as const;

/** A column without words of its own tells where its values are (apiextensions-apiserver …/tableconvertor.go:New). */
const described = (column: PrinterColumn): PrinterColumn => ({
  ...column,
  description:
    column.description ||
    `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
});

/** The table of a custom kind: Name, then what its definition declares, or Age. */
export function printerColumns(declared: readonly PrinterColumn[]): TableColumns {
  const shown = (declared.length > 0 ? declared.map(described) : [AGE]).map((column) => ({
    ...column,
    steps: parseJsonPath(column.jsonPath) ?? [],
    isKnown: parseJsonPath(column.jsonPath) !== undefined,
  }));
  const columns: TableColumn[] = shown.map((column) => ({
    name: column.name,
    type: TYPES.find((type) => type === column.type) ?? 'string',
    ...(column.format ? { format: column.format } : {}),
    ...(column.description ? { description: column.description } : {}),
    priority: column.priority ?? 0,
  }));
  return {
    columns: [NAME, ...columns],
    row: (object: KubeObject, now: number) => [
      object.metadata.name ?? '',
      ...shown.map(({ steps, type, isKnown }) =>
        isKnown ? toCell(evaluateJsonPath(steps, object), type, now) : null,
      ),
    ],
  };
}
