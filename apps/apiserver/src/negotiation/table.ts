import type { KubeObject } from '@orrery/apimachinery';
import type { KindDescriptor } from '@orrery/api';
import type { Representation } from '@orrery/registry';
import { columnDescription } from './column-descriptions.js';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

interface TableOptions {
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

function toRow(
  kind: KindDescriptor,
  { object }: Representation,
  options: TableOptions,
): Record<string, unknown> {
  const cells = kind.columns.row(object, options.now);
  if (options.includeObject === 'None') return { cells };
  if (options.includeObject === 'Object') return { cells, object };
  return { cells, object: toPartial(object, options.version) };
}

/** A meta.k8s.io Table of objects; `withColumns` is false for all but the first event of a watch. */
export function toTable(
  kind: KindDescriptor,
  items: readonly Representation[],
  options: TableOptions & {
    readonly metadata: Record<string, unknown>;
    readonly withColumns?: boolean;
  },
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
    rows: items.map((item) => toRow(kind, item, options)),
  };
}
