import { describe, expect, it } from '@jest/globals';
import type { History } from '../history/history.js';
import type { LogEvent } from '../history/log-event.js';
import { LogIndex } from '../history/log-index.js';
import type { Operation } from '../history/operation.js';
import { resolveOperations } from './resolve-unknown.js';

const key = 'pods/ns1/a';
const lost = { client: 'c', key, ret: null, outcome: 'unknown' } as const;

function put(rv: number, value: string, at: number): LogEvent {
  return { rv, key, type: 'put', object: { key, uid: 'u', rv, value }, at };
}

function resolve(operations: Operation[], events: LogEvent[], complete = true) {
  const rest = { labels: {}, watches: [], informers: [], faults: [] };
  const history: History = { operations, events, coverage: { complete }, ...rest };
  return resolveOperations(history, new LogIndex(events));
}

describe(resolveOperations.name, () => {
  it('finds an unknown create by its value and ends it when its event was seen', () => {
    const { operations, applied } = resolve(
      [{ ...lost, id: 1, f: 'create', args: { value: 'v1' }, call: 0 }],
      [put(4, 'v1', 9)],
    );
    expect(operations).toMatchObject([{ outcome: 'ok', rv: 4, ret: 9, resolved: true }]);
    expect(applied).toBe(1);
  });

  it('drops a write that a complete log does not have', () => {
    const { operations, never } = resolve(
      [{ ...lost, id: 1, f: 'update', args: { value: 'v2' }, call: 0 }],
      [put(4, 'v1', 9)],
    );
    expect({ operations, never }).toEqual({ operations: [], never: 1 });
  });

  it('leaves a write open when the log may have ended too early', () => {
    const { operations, open } = resolve(
      [{ ...lost, id: 1, f: 'update', args: { value: 'v2' }, call: 0 }],
      [],
      false,
    );
    expect(operations).toMatchObject([{ outcome: 'unknown' }]);
    expect(open).toBe(1);
  });

  it('gives one deletion to the answered delete before the unknown one', () => {
    const { operations } = resolve(
      [
        { ...lost, id: 1, f: 'delete', args: {}, call: 0 },
        { ...lost, id: 2, f: 'delete', args: {}, call: 1, ret: 5, outcome: 'ok' },
      ],
      [put(1, 'v', 0), { rv: 2, key, type: 'delete', at: 4 }],
    );
    expect(operations).toMatchObject([{ id: 2, rv: 2, outcome: 'ok' }]);
  });

  it('does not give an event to a write that was called after it was seen', () => {
    const { never } = resolve(
      [{ ...lost, id: 1, f: 'delete', args: {}, call: 10 }],
      [put(1, 'v', 0), { rv: 2, key, type: 'delete', at: 4 }],
    );
    expect(never).toBe(1);
  });

  it('leaves two deletes open when either may have made the only deletion', () => {
    const { operations, makers, open } = resolve(
      [
        { ...lost, id: 1, f: 'delete', args: {}, call: 0 },
        { ...lost, id: 2, f: 'delete', args: {}, call: 1 },
      ],
      [put(1, 'v', 0), { rv: 2, key, type: 'delete', at: 4 }],
    );
    expect(operations).toMatchObject([{ outcome: 'unknown' }, { outcome: 'unknown' }]);
    expect({ explained: makers.size, open }).toEqual({ explained: 1, open: 2 });
  });
});
