import { createServer } from 'node:net';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import { commandLine } from './leftovers.js';
import { nodeName } from './layout.js';
import {
  API_PORT,
  CONTROLLER_MANAGER_PORT,
  REPLICA_PORTS,
  SCHEDULER_PORT,
  etcdNumbers,
} from './plan.js';
import type { PlanInput } from './plan.js';

/** An address that a process of the cluster will listen on. */
export interface Listener {
  readonly who: string;
  readonly host: string;
  readonly port: number;
}

const KUBELET_PORT = 10250;
const LISTENING = '0A';

/** All addresses that the cluster needs before its first pod. */
export function listenersOf(input: PlanInput): Listener[] {
  const { addresses, nodes, standby } = input;
  const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
  const host = addresses.apiServer;
  return [
    ...etcdNumbers(input).flatMap((i) =>
      [2379, 2380].map((port) => ({ who: `etcd-${i}`, host: addresses.etcdMember(i), port })),
    ),
    { who: 'kube-apiserver', host, port: API_PORT },
    ...count(standby ? 2 : 1).flatMap((replica) => {
      const more = (replica - 1) * REPLICA_PORTS;
      return [
        { who: 'kube-controller-manager', host, port: CONTROLLER_MANAGER_PORT + more },
        { who: 'kube-scheduler', host, port: SCHEDULER_PORT + more },
      ];
    }),
    ...count(nodes).map((i) => ({
      who: `kubelet ${nodeName(i)}`,
      host: addresses.node(i),
      port: KUBELET_PORT,
    })),
  ];
}

function listenError({ host, port }: Listener): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

/** proc(5), net/tcp: `address:port` in hexadecimal, the address as the machine stores it, the state, …, the inode. */
function inodeOf(host: string, port: number): string | undefined {
  const hex = (value: number, width: number): string =>
    value.toString(16).toUpperCase().padStart(width, '0');
  const local = `${host
    .split('.')
    .reverse()
    .map((part) => hex(Number(part), 2))
    .join('')}:${hex(port, 4)}`;
  const any = `00000000:${hex(port, 4)}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows.find((row) => row[3] === LISTENING && (row[1] === local || row[1] === any))?.[9];
}

const holds = (pid: string, link: string): boolean => {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === link;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
};

/** The program that listens there, as far as this user may know: ` (process 12: nginx -g …)`. */
function culprit(host: string, port: number): string {
  try {
    const inode = inodeOf(host, port);
    const pid = readdirSync('/proc').find(
      (name) => inode !== undefined && /^\d+$/.test(name) && holds(name, `socket:[${inode}]`),
    );
    if (pid === undefined) return '';
    const line = commandLine(Number(pid))
      .replace(/[\0\s]+/g, ' ')
      .trim();
    return ` (process ${pid}: ${line.slice(0, 60)})`;
  } catch {
    return '';
  }
}

/** Throws ConfigError naming the first address that a process of the cluster could not listen on, and who has it. */
export async function requireFree(listeners: readonly Listener[]): Promise<void> {
  const errors = await Promise.all(listeners.map(listenError));
  for (const [i, listener] of listeners.entries()) {
    const { who, host, port } = listener;
    const code = errors[i];
    if (code === 'EADDRINUSE')
      throw new ConfigError(
        `${host}:${port}, the address of ${who}, is in use by another program${culprit(host, port)}; end it, or start the cluster in another block: --block N (with --fresh if it has objects)`,
      );
    if (code !== undefined)
      throw new ConfigError(`${host}:${port}, the address of ${who}, cannot be used (${code})`);
  }
}
