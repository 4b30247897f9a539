import type { KubeObject } from '@orrery/apimachinery';
import type { TableCell, TableColumn, TableColumns } from '../kind.js';
import { ageOf } from './human-duration.js';

/** A column together with the function that fills it. */
export interface Column<T extends KubeObject> extends TableColumn {
  readonly cell: (object: T, now: number) => TableCell;
}

type ColumnType = TableColumn['type'];

/** A column that is always shown. */
export function column<T extends KubeObject>(
  name: string,
  cell: (object: T, now: number) => TableCell,
  type: ColumnType = 'string',
): Column<T> {
  return { name, type, priority: 0, cell };
}

/** A column of integers. */
export const count = <T extends KubeObject>(
  name: string,
  cell: (object: T, now: number) => number | null,
): Column<T> => column(name, cell, 'integer');

/** A column shown only with `-o wide`. */
export function wide<T extends KubeObject>(
  name: string,
  cell: (object: T, now: number) => TableCell,
): Column<T> {
  return { name, type: 'string', priority: 1, cell };
}

/** The first column of every kind but Event. */
export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  priority: 0,
  cell: (object) => object.metadata.name ?? '',
};

export const ageColumn: Column<KubeObject> = column('Age', (object, now) =>
  ageOf(object.metadata.creationTimestamp, now),
);

/** Assembles columns; the descriptors sent to clients leave the cell functions out. */
export function table<T extends KubeObject>(columns: readonly Column<T>[]): TableColumns<T> {
  return {
    columns: columns.map(({ cell: _cell, ...rest }) => rest),
    row: (object, now) => columns.map((each) => each.cell(object, now)),
  };
}

/** Name and Age: what kinds without columns of their own show. */
export const plainColumns: TableColumns = table([nameColumn, ageColumn]);
