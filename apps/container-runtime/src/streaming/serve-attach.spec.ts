import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { LiveContainer } from '../engine/live-container.js';
import type { Task } from '../engine/task.js';
import type { Outcome, RemoteStreams } from './remote-streams.js';
import { serveAttach } from './serve-attach.js';

const MEGABYTE = 2 ** 20;

describe('serveAttach()', () => {
  it('ends a session that is far behind what its container says', async () => {
    const live = new LiveContainer({ write: () => undefined } as never);
    const stdout = new Writable({ write: () => undefined });
    const outcomes: Outcome[] = [];
    const streams: RemoteStreams = {
      stdin: undefined,
      stdout,
      stderr: undefined,
      onResize: () => undefined,
      gone: new AbortController().signal,
      finish: (outcome) => {
        outcomes.push(outcome);
        return Promise.resolve();
      },
    };
    const task = { exited: new Promise(() => undefined) } as unknown as Task;
    const served = serveAttach(streams, { live, task, endsStdin: false });
    for (let i = 0; i < 64; i++) live.output('stdout', Buffer.alloc(MEGABYTE));
    await served;
    expect(outcomes).toEqual([{ error: 'the client reads too slowly' }]);
    live.output('stdout', Buffer.alloc(MEGABYTE));
    expect(stdout.writableLength).toBeLessThan(64 * MEGABYTE);
  });
});
