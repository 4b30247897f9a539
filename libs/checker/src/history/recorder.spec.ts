import { describe, expect, it } from '@jest/globals';
import { generateHistory } from '../generators/generate-history.js';
import { decodeHistory, decodeLine, encodeHistory } from './json-lines.js';
import type { Verb } from './operation.js';
import type { Reply } from './outcome.js';
import { classifyOutcome } from './outcome.js';
import { HistoryRecorder } from './recorder.js';

function createRecorder() {
  let time = 1000n;
  const lines: string[] = [];
  const recorder = new HistoryRecorder({
    now: () => time++,
    sink: (line) => void lines.push(line),
    labels: { seed: '1' },
  });
  return { recorder, lines };
}

describe(HistoryRecorder.name, () => {
  it('records answers, refusals and lost answers on one clock', () => {
    const { recorder } = createRecorder();
    recorder
      .begin('c1', { f: 'create', key: 'pods/a', args: { value: 'v' } })
      .end({ code: 201, rv: 5 });
    recorder.begin('c1', { f: 'delete', key: 'pods/a' }).end({ code: 409, reason: 'Conflict' });
    recorder.begin('c1', { f: 'delete', key: 'pods/a' }).end({});
    recorder.begin('c1', { f: 'get', key: 'pods/a' }).end({});
    expect(recorder.history().operations).toMatchObject([
      { id: 1, call: 1, ret: 2, outcome: 'ok', rv: 5 },
      { id: 2, call: 3, ret: 4, outcome: 'fail', reason: 'Conflict' },
      { id: 3, call: 5, ret: null, outcome: 'unknown' },
    ]);
  });

  it('refuses a second operation of a client that waits', () => {
    const { recorder } = createRecorder();
    const pending = recorder.begin('c1', { f: 'get', key: 'pods/a' });
    expect(() => recorder.begin('c1', { f: 'get', key: 'pods/b' })).toThrow('in flight');
    pending.discard();
    expect(() => recorder.begin('c1', { f: 'get', key: 'pods/b' })).not.toThrow();
  });

  it('gives the sink the lines from which the same history is read', () => {
    const { recorder, lines } = createRecorder();
    recorder.event({ rv: 1, key: 'pods/a', type: 'delete' });
    const watch = recorder.openWatch({ client: 'w', scope: 'pods', rv: 1 });
    watch.push({ type: 'BOOKMARK', rv: 1 });
    watch.close(1);
    recorder.fault('kill the leader')();
    recorder.coverage({ complete: true });
    expect(decodeHistory(lines)).toEqual(recorder.history());
  });
});

describe(encodeHistory.name, () => {
  it('keeps a generated history whole', () => {
    const history = generateHistory({ seed: 3, operations: 100 });
    expect(decodeHistory(encodeHistory(history))).toMatchObject({ ...history });
  });

  it.each([
    { name: 'another record', line: '{"record":"pod"}' },
    { name: 'a verb that is none', line: '{"record":"operation","client":"c","id":1,"f":"cas"}' },
    { name: 'no object', line: '[]' },
  ])('refuses $name', ({ line }) => {
    expect(() => decodeLine(line)).toThrow('not a line of a history');
  });
});

describe(classifyOutcome.name, () => {
  it.each<{ name: string; f: Verb; reply: Reply; want: string | undefined }>([
    { name: 'an answer', f: 'create', reply: { code: 201 }, want: 'ok' },
    { name: 'a refusal', f: 'update', reply: { code: 409, reason: 'Conflict' }, want: 'fail' },
    { name: 'a missing object', f: 'get', reply: { code: 404, reason: 'NotFound' }, want: 'fail' },
    { name: 'a write without an answer', f: 'delete', reply: {}, want: 'unknown' },
    {
      name: 'a write with 504',
      f: 'patch',
      reply: { code: 504, reason: 'Timeout' },
      want: 'unknown',
    },
    { name: 'a write with 500', f: 'patch', reply: { code: 500 }, want: 'unknown' },
    { name: 'a read with 500', f: 'list', reply: { code: 500 }, want: undefined },
    {
      name: 'a revision of the future',
      f: 'get',
      reply: { code: 504, reason: 'ResourceVersionTooLarge' },
      want: 'fail',
    },
  ])('$name', ({ f, reply, want }) => {
    expect(classifyOutcome(f, reply)).toBe(want);
  });
});
