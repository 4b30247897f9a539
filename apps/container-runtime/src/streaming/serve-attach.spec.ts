import { PassThrough, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import { LiveContainer } from '../engine/live-container.js';
import type { Task } from '../engine/task.js';
import type { Outcome, RemoteStreams } from './remote-streams.js';
import { serveAttach } from './serve-attach.js';

const MEGABYTE = 2 ** 20;

/** A session of a caller that types `text` and then ends its input, with a container that says nothing. */
async function typing(text: string, endsStdin: boolean) {
  const stdin = new PassThrough();
  const input = new PassThrough();
  const outcomes: Outcome[] = [];
  let exit: (() => void) | undefined;
  const exited = new Promise<void>((resolve) => (exit = resolve));
  const streams: RemoteStreams = {
    stdin,
    stdout: undefined,
    stderr: undefined,
    onResize: () => undefined,
    gone: new AbortController().signal,
    finish: (outcome) => {
      outcomes.push(outcome);
      return Promise.resolve();
    },
  };
  const task = { exited, stdin: input } as unknown as Task;
  const live = new LiveContainer({ write: () => undefined } as never);
  const served = serveAttach(streams, { live, task, endsStdin });
  stdin.end(text);
  await finished(stdin, { writable: false });
  return { served, input, outcomes, exit: () => exit?.() };
}

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

  it('ends with its input, which the container keeps', async () => {
    const { served, input, outcomes } = await typing('abcd', false);
    await served;
    expect(outcomes).toEqual([{ exitCode: 0 }]);
    expect([input.read()?.toString(), input.writableEnded]).toEqual(['abcd', false]);
  });

  it('goes on after its input where the container has that one alone', async () => {
    const { served, input, outcomes, exit } = await typing('abcd', true);
    expect([input.read()?.toString(), input.writableEnded, outcomes]).toEqual(['abcd', true, []]);
    exit();
    await served;
    expect(outcomes).toEqual([{ exitCode: 0 }]);
  });
});
