import { describe, expect, it } from '@jest/globals';
import { HistoryRecorder } from '@orrery/checker';
import { checkRefusedWrites } from './refused-writes.js';

/** A create that was answered so, and whether its event is in the log. */
function history(reply: { code: number; reason: string }, isInLog: boolean) {
  let time = 0n;
  const recorder = new HistoryRecorder({ now: () => ++time });
  const key = 'configmaps/ns1/a';
  recorder.begin('c1', { f: 'create', key, args: { value: 'c1-1' } }).end(reply);
  if (isInLog)
    recorder.event({ rv: 5, key, type: 'put', object: { key, uid: 'u', rv: 5, value: 'c1-1' } });
  recorder.coverage({ complete: true });
  return recorder.history();
}

describe(checkRefusedWrites.name, () => {
  it.each([
    { name: 'a 503 that wrote nothing', code: 503, isInLog: false, want: [] },
    { name: 'a 503 that wrote', code: 503, isInLog: true, want: ['unknown-told-as-failure'] },
    { name: 'a 504 that wrote', code: 504, isInLog: true, want: [] },
  ])('judges $name', ({ code, isInLog, want }) => {
    const reason = code === 503 ? 'ServiceUnavailable' : 'Timeout';
    const { violations } = checkRefusedWrites(history({ code, reason }, isInLog));
    expect(violations.map(({ rule }) => rule)).toEqual(want);
  });
});
