import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@orrery/component';
import type { ConfigError } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { ClusterFiles, addressesOf } from '../cluster/layout.js';
import { endLeftovers } from '../cluster/leftovers.js';
import { listenersOf, requireFree } from '../cluster/listeners.js';
import type { PlanInput } from '../cluster/plan.js';
import { readSettings } from '../cluster/settings.js';
import { inWords, makeFolder } from '../cluster/system-error.js';
import { startGuard } from '../supervisor/guard.js';
import { lastLines } from './log-tail.js';
import { ExitJudge } from './run-cluster.js';

const dir = mkdtempSync(join(tmpdir(), 'orrery-start-'));
const files = new ClusterFiles(dir);
const clock = new SystemClock();
const input: PlanInput = {
  files,
  addresses: addressesOf(217),
  etcdMembers: 1,
  nodes: 3,
  grouping: 'grouped',
  standby: false,
  extraArgs: {},
  componentDir: dir,
  nodeBinary: process.execPath,
};
const servers: Server[] = [];
const children: ChildProcess[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const isAlive = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null;

function sleeper(...args: string[]): ChildProcess {
  const child = spawn('sh', ['-c', 'while sleep 1; do :; done', ...args], {
    detached: true,
    stdio: 'ignore',
  });
  children.push(child);
  return child;
}

describe(requireFree.name, () => {
  it.each([
    { who: 'kube-apiserver', host: '127.217.0.1', port: 6443 },
    { who: 'etcd-1', host: '127.217.0.201', port: 2379 },
    { who: 'kubelet k8s-02', host: '127.217.0.2', port: 10250 },
  ])('names a busy address of $who and the program that has it', async ({ who, host, port }) => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => {
      server.listen(port, host, resolve);
    });
    await expect(requireFree(listenersOf(input))).rejects.toThrow(
      new RegExp(`^${host}:${port}, the address of ${who}, is in use .*process ${process.pid}`),
    );
  });

  it('is content when nobody listens', async () => {
    await expect(requireFree(listenersOf(input))).resolves.toBeUndefined();
  });
});

describe(readSettings.name, () => {
  it.each([
    { name: 'cut off', text: '{"block":', says: /cluster\.json is not JSON; .*--fresh/ },
    { name: 'of another block', text: '{"block":5}', says: /block must be .* from 10 to 250/ },
    {
      name: 'of no members',
      text: '{"block":20,"etcdMembers":0,"nodes":3}',
      says: /etcdMembers must be a whole number from 1/,
    },
  ])('refuses a file that is $name', ({ text, says }) => {
    writeFileSync(files.settings, text);
    expect(() => readSettings(files)).toThrow(says);
  });

  it('names a file that cannot be read', () => {
    rmSync(files.settings, { force: true });
    mkdirSync(files.settings);
    expect(() => readSettings(files)).toThrow(/cluster\.json cannot be read \(EISDIR\)/);
    rmSync(files.settings, { recursive: true });
  });
});

describe(inWords.name, () => {
  it('names the folder and what to do', () => {
    const error = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    expect(inWords(error, '/data')).toMatchObject({
      message: 'the disk that holds /data is full; free some space and start again',
    });
  });

  it('comes back from a folder that can never be made', () => {
    expect(() => {
      makeFolder('/proc/nope/orrery');
    }).toThrow(/ENOENT/);
  });
});

describe(ExitJudge.name, () => {
  const judge = (): { judge: ExitJudge; why: () => string | undefined } => {
    let given: ConfigError | undefined;
    const it = new ExitJudge(
      input,
      () => undefined,
      (error) => {
        given ??= error;
      },
    );
    return { judge: it, why: () => given?.message };
  };
  const exit = (name: string, log: string, refused = false) => {
    const logFile = join(dir, 'a.log');
    writeFileSync(logFile, `of an earlier run\n${log}`);
    return { name, why: 'exit code 1', logFile, logOffset: 18, refused };
  };

  it('gives up at once when etcd says what another try cannot mend', () => {
    const { judge: judged, why } = judge();
    judged.judge(exit('etcd', 'write: no space left on device\n', true));
    expect(why()).toMatch(/etcd etcd-1: the disk that holds .*etcd-1 is full/);
  });

  it('gives up after three quick deaths, quoting the end of the log', () => {
    const { judge: judged, why } = judge();
    for (let i = 0; i < 2; i++) judged.judge(exit('etcd', 'panic: broken\n', true));
    expect(why()).toBeUndefined();
    judged.judge(exit('etcd', 'panic: broken\n', true));
    expect(why()).toMatch(/etcd ended 3 times while starting[^]*panic: broken/);
    expect(why()).not.toContain('earlier run');
  });

  it('goes on trying once the cluster has been ready', () => {
    const { judge: judged, why } = judge();
    judged.started();
    for (let i = 0; i < 5; i++) judged.judge(exit('nodes', 'oops\n', true));
    expect(why()).toBeUndefined();
  });
});

describe(lastLines.name, () => {
  it('puts log records in words and says each line once', () => {
    const record = JSON.stringify({ level: 50, msg: 'hook failed', err: { message: 'no etcd' } });
    expect(lastLines(`start\n${record}\n${record}\n`, 5)).toBe('  start\n  hook failed: no etcd');
  });
});

describe(endLeftovers.name, () => {
  it('ends a process with a pid file of this cluster, and nobody else', async () => {
    const ours = sleeper(files.logs());
    const foreign = sleeper('another');
    mkdirSync(files.run(), { recursive: true });
    writeFileSync(files.pidFile('etcd'), String(ours.pid));
    writeFileSync(files.pidFile('kubelet'), String(foreign.pid));
    expect(await endLeftovers(files, clock)).toBe(1);
    await eventually(() => {
      expect(isAlive(ours)).toBe(false);
    });
    expect(isAlive(foreign)).toBe(true);
    expect(existsSync(files.pidFile('kubelet'))).toBe(false);
  });
});

describe(startGuard.name, () => {
  it('does nothing once it was called off', async () => {
    const left = sleeper('left');
    const swept = join(dir, 'swept');
    const guard = startGuard(['touch', swept]);
    guard.protect([left.pid ?? 0]);
    guard.release();
    await guard.ended;
    expect(isAlive(left)).toBe(true);
    expect(existsSync(swept)).toBe(false);
  });
});
