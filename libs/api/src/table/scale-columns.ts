import type { KubeObject } from '@orrery/apimachinery';
import type { TableColumns } from '../kind.js';
import { ageColumn, count, nameColumn, table } from './columns.js';

interface Scale extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number };
}

/** The table of a `/scale` of a built-in kind (k8s pkg/printers/internalversion/printers.go:printScale). */
export const scaleColumns: TableColumns = table<Scale>([
  nameColumn,
  count('Desired', ({ spec }) => spec?.replicas ?? 0),
  count('Available', ({ status }) => status?.replicas ?? 0),
  ageColumn,
]);
