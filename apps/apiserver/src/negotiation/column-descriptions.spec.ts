import { describe, expect, it } from '@jest/globals';
import { kinds } from '@orrery/api';
import { columnDescription } from './column-descriptions.js';

describe(columnDescription.name, () => {
  it('tells of every column of every built-in kind', () => {
    const missing = kinds.flatMap((kind) =>
      kind.columns.columns
        .filter((column) => !(column.description ?? columnDescription(kind, column.name)))
        .map((column) => `${kind.kind}/${column.name}`),
    );
    expect(missing).toEqual([]);
  });
});
