import type { KubeObject } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { Representation } from '@orrery/registry';
import { columnDescription } from './column-descriptions.js';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  readonly version: 'v1' | 'v1beta1';
  readonly includeObject: IncludeObject;
  readonly now: number;
}

/** The object reduced to its metadata. */
export const toPartial = (
  object: KubeObject,
  version: 'v1' | 'v1beta1',
): Record<string, unknown> => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata,
});

export function toRow(
  kind: KindDescriptor,
  { object }: Representation,
  options: TableOptions,
): Record<string, unknown> {
  const cells = kind.columns.row(object, options.now);
  if (options.includeObject === 'None') return { cells, object: null };
  if (options.includeObject === 'Object') return { cells, object };
  return { cells, object: toPartial(object, options.version) };
}

interface FullTableOptions extends TableOptions {
  readonly metadata: Record<string, unknown>;
  /** False for all but the first event of a watch. */
  readonly withColumns?: boolean;
}

/** A meta.k8s.io Table without its rows, which come last. */
export function tableHead(
  kind: KindDescriptor,
  options: FullTableOptions,
): Record<string, unknown> {
  const columns = kind.columns.columns.map((column) => ({
    name: column.name,
    type: column.type,
    format: column.format ?? '',
    description: column.description ?? columnDescription(kind, column.name),
    priority: column.priority ?? 0,
  }));
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata: options.metadata,
    columnDefinitions: options.withColumns === false ? null : columns,
  };
}

/** A meta.k8s.io Table of objects. */
export const toTable = (
  kind: KindDescriptor,
  items: readonly Representation[],
  options: FullTableOptions,
): Record<string, unknown> => ({
  ...tableHead(kind, options),
  rows: items.map((item) => toRow(kind, item, options)),
});
