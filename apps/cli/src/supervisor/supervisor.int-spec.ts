import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { askControl, serveControl } from './control.js';
import type { ProcessExit } from './managed-process.js';
import { Supervisor } from './supervisor.js';

const dir = mkdtempSync(join(tmpdir(), 'orrery-supervisor-'));
const exits: ProcessExit[] = [];
const supervisor = new Supervisor(new SystemClock(), (exit) => exits.push(exit));
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await supervisor.stopAll([]);
  rmSync(dir, { recursive: true, force: true });
});

const add = (name: string, script: string): string => {
  const pidFile = join(dir, `${name}.pid`);
  supervisor.add({
    name,
    command: process.execPath,
    args: ['-e', script],
    logFile: join(dir, `${name}.log`),
    pidFiles: [pidFile],
  });
  return pidFile;
};

const running = async (name: string): Promise<number> => {
  let pid = 0;
  await eventually(() => {
    const state = supervisor.find(name)?.state;
    expect(state?.phase).toBe('running');
    pid = state?.phase === 'running' ? state.pid : 0;
  });
  return pid;
};

describe(Supervisor.name, () => {
  it('starts a killed process again and keeps its pid file true', async () => {
    const pidFile = add('loop', 'setInterval(() => {}, 1000)');
    const first = await running('loop');
    process.kill(first, 'SIGKILL');
    await eventually(() => {
      const state = supervisor.find('loop')?.state;
      expect(state?.phase === 'running' && state.pid !== first).toBe(true);
    });
    expect(readFileSync(pidFile, 'utf8')).toBe(String(await running('loop')));
    expect(supervisor.find('loop')?.restarts).toBe(1);
  });

  it('stops a process for good when asked through its socket, and starts it again', async () => {
    const pidFile = add('stoppable', 'setInterval(() => {}, 1000)');
    await running('stoppable');
    const socket = join(dir, 'control.sock');
    servers.push(await serveControl(socket, supervisor));
    await askControl(socket, '/processes/stoppable/stop', 'POST');
    expect(supervisor.find('stoppable')?.state.phase).toBe('stopped');
    expect(existsSync(pidFile)).toBe(false);
    await askControl(socket, '/processes/stoppable/start', 'POST');
    await running('stoppable');
    await expect(askControl(socket, '/processes/nobody/stop', 'POST')).rejects.toThrow(
      /no process nobody; one of .*stoppable/,
    );
  });

  it('starts a successor beside a process, and stops both', async () => {
    add('twin', 'setInterval(() => {}, 1000)');
    const first = await running('twin');
    const twin = supervisor.find('twin');
    expect(twin?.succeed()).toBe(true);
    const second = await running('twin');
    expect(second).not.toBe(first);
    expect(twin?.pids).toEqual([second, first]);
    await twin?.stop();
    expect(twin?.pids).toEqual([]);
    expect(() => process.kill(first, 0)).toThrow('ESRCH');
    expect(twin?.succeed()).toBe(false);
  });

  it('says when a process refused its configuration', async () => {
    add('refusing', 'process.exit(2)');
    await eventually(() => {
      expect(exits.find((exit) => exit.name === 'refusing')).toMatchObject({ refused: true });
    });
  });

  it('tells its children that it has gone by closing their fd 3', async () => {
    const closing =
      'new (require("net").Socket)({fd: 3}).on("end", () => process.exit(0)).resume(); setInterval(() => {}, 1000)';
    add('orphan', closing);
    await running('orphan');
    await supervisor.stopAll([['orphan']]);
    expect(supervisor.find('orphan')?.state.phase).toBe('stopped');
  });
});
