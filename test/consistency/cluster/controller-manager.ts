import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './api-server.js';
import type { ProcessTable } from './process-table.js';

export interface ControllerManagerOptions {
  readonly name: string;
  readonly server: string;
  readonly folder: string;
  readonly processes: ProcessTable;
}

/** Lease, deadline and retry: as short as whole seconds of a Lease allow. */
const TERM = ['2s', '1500ms', '300ms'] as const;
export const LEASE_MS = 2000;

/** A kubeconfig that trusts whatever certificate the API server shows. */
function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'c', user: {} }],
  });
}

/** A controller manager as a process of its own, which contends for the lease. */
export class ControllerManager {
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;

  constructor(private readonly options: ControllerManagerOptions) {
    const { name, server, folder, processes } = options;
    const file = join(folder, `${name}.conf`);
    writeFileSync(file, kubeconfig(server));
    const [lease, deadline, retry] = TERM;
    const flags = [
      `--kubeconfig=${file}`,
      '--controllers=namespace',
      `--leader-elect-lease-duration=${lease}`,
      `--leader-elect-renew-deadline=${deadline}`,
      `--leader-elect-retry-period=${retry}`,
    ];
    const log = openSync(join(folder, `${name}.log`), 'a');
    this.child = spawn(process.execPath, [bundle('kube-controller-manager'), ...flags], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    processes.set(name, this.child.pid);
    this.exited = new Promise((done) => {
      this.child.once('error', () => done());
      this.child.once('exit', () => done());
    });
  }

  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
    this.options.processes.set(this.options.name, undefined);
  }
}
