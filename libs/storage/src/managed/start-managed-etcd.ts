import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';

import type { Clock } from '@orrery/component';
import { SystemClock } from '@orrery/component';

import { explainExit } from './explain-exit.js';
import { requireFreeAddresses } from './free-addresses.js';
import { memberCommand } from './member-command.js';
import type { MemberOptions } from './member-command.js';

/** A member's own options; name, cluster and timers are filled in for the whole cluster. */
export type MemberAddress = Pick<MemberOptions, 'name' | 'dataDir' | 'clientUrl' | 'peerUrl'> &
  Partial<Pick<MemberOptions, 'advertisePeerUrl'>>;

export interface ManagedEtcdOptions extends Pick<
  MemberOptions,
  'binary' | 'heartbeatMs' | 'electionMs' | 'quotaBytes' | 'logLevel' | 'extraArgs' | 'clusterState'
> {
  readonly members: readonly MemberAddress[];
  /** The file that a member's log is appended to. Default: none; its end is kept in memory. */
  readonly logFile?: (name: string) => string;
  readonly clock?: Clock;
}

/** A running member. Whoever started it supervises `process`. */
export interface ManagedMember {
  readonly options: MemberOptions;
  readonly process: ChildProcess;
  /** The end of its log. */
  log(): string;
  /** Resolves with how it ended. */
  readonly exited: Promise<string>;
}

export interface ManagedEtcd {
  readonly members: readonly ManagedMember[];
  readonly endpoints: readonly string[];
  readonly pids: readonly number[];
  /** Resolves when every member serves; throws ManagedEtcdError when one ends or the time is over. Default 15,000. */
  ready(timeoutMs?: number): Promise<void>;
  /** Ends the members (SIGTERM, then SIGKILL) and waits until they have ended. */
  stop(): Promise<void>;
}

const LOG_TAIL = 64 * 1024;
const POLL_MS = 15;
const STOP_MS = 3000;

/** Starts the members of a cluster as child processes. Throws ManagedEtcdError when one of their addresses is taken. */
export async function startManagedEtcd(options: ManagedEtcdOptions): Promise<ManagedEtcd> {
  const clock = options.clock ?? new SystemClock();
  const wanted = memberOptions(options);
  await Promise.all(wanted.map(requireFreeAddresses));
  const members = wanted.map((each) => startMember(each, options.logFile?.(each.name)));
  return {
    members,
    endpoints: members.map((member) => member.options.clientUrl),
    pids: members.flatMap(({ process: { pid } }) => (pid === undefined ? [] : [pid])),
    ready: async (timeoutMs = 15_000) => {
      await Promise.all(members.map((member) => memberReady(member, clock, timeoutMs)));
    },
    stop: async () => {
      await Promise.all(members.map((member) => stopMember(member, clock)));
    },
  };
}

/** The options of each member of a cluster, for a supervisor that spawns `memberCommand(...)` itself. */
export function memberOptions({
  members,
  ...shared
}: ManagedEtcdOptions): readonly MemberOptions[] {
  const { logFile: _logFile, clock: _clock, ...common } = shared;
  const cluster = members.map(({ name, peerUrl, advertisePeerUrl }) => ({
    name,
    peerUrl: advertisePeerUrl ?? peerUrl,
  }));
  return members.map((member) => ({ ...common, ...member, cluster }));
}

/** Starts one member. */
export function startMember(options: MemberOptions, logFile?: string): ManagedMember {
  // etcd warns about a folder that others can read.
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const { command, args, env } = memberCommand(options);
  const logFd = logFile === undefined ? undefined : openSync(logFile, 'a');
  const child = spawn(command, args, {
    env,
    stdio: ['ignore', logFd ?? 'ignore', logFd ?? 'pipe'],
  });
  if (logFd !== undefined) closeSync(logFd);
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-LOG_TAIL);
  });
  const log = (): string =>
    logFile === undefined ? tail : readFileSync(logFile, 'utf8').slice(-LOG_TAIL);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('close', (code, signal) =>
      resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`),
    );
  });
  return { options, process: child, log, exited };
}

async function memberReady(member: ManagedMember, clock: Clock, timeoutMs: number): Promise<void> {
  const { clientUrl } = member.options;
  const deadline = clock.monotonic() + timeoutMs;
  let ended: string | undefined;
  void member.exited.then((how) => {
    ended = how;
  });
  while (!(await isHealthy(clientUrl))) {
    if (ended !== undefined) throw explainExit(member.options, member.log(), ended);
    if (clock.monotonic() > deadline) {
      const how = `does not serve ${clientUrl} after ${timeoutMs} ms`;
      throw explainExit(member.options, member.log(), how);
    }
    await clock.sleep(POLL_MS);
  }
}

/** True when the member answers a linearizable read. */
export function isHealthy(clientUrl: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`${clientUrl}/health`, { timeout: 2000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

async function stopMember({ process: child, exited }: ManagedMember, clock: Clock): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  // A stopped process takes SIGTERM only once it runs again.
  child.kill('SIGCONT');
  const cancel = clock.after(STOP_MS, () => child.kill('SIGKILL'));
  await exited;
  cancel();
}
