import type { Container, LifecycleHandler, Pod } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { httpGet } from '../probes/http-get.js';
import { resolvePort } from '../probes/resolve-port.js';
import type { Runtime } from '../runtime/runtime.js';

export interface HookTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** Runs postStart and preStop handlers; rejects with the message that upstream shows. */
export class LifecycleHooks {
  constructor(
    private readonly runtime: Runtime,
    private readonly clock: Clock,
  ) {}

  async run(handler: LifecycleHandler, target: HookTarget, timeoutMs: number): Promise<void> {
    if (handler.exec) await this.exec(handler.exec.command ?? [], target, timeoutMs);
    else if (handler.httpGet) {
      const { httpHeaders = [], path = '/', scheme = 'HTTP', host, port } = handler.httpGet;
      const answer = await httpGet(
        {
          scheme,
          host: host ?? target.podIp,
          port: resolvePort(port, target.container),
          path,
          headers: httpHeaders,
        },
        timeoutMs,
      );
      if (answer.code < 200 || answer.code >= 400)
        throw new Error(`HTTP lifecycle hook (${path}) failed with status ${answer.code}`);
    } else if (handler.sleep)
      await this.clock.sleep(Math.min(handler.sleep.seconds * 1000, timeoutMs));
    else if (handler.tcpSocket) throw new Error('tcpSocket lifecycle hooks are not supported');
  }

  private async exec(
    command: readonly string[],
    target: HookTarget,
    timeoutMs: number,
  ): Promise<void> {
    const result = await this.runtime.execSync(target.containerId, command, timeoutMs);
    if (result.exitCode !== 0)
      throw new Error(
        `Exec lifecycle hook ([${command.join(' ')}]) for Container "${target.container.name}" in Pod "${target.pod.metadata.name ?? ''}_${target.pod.metadata.namespace ?? ''}(${target.pod.metadata.uid ?? ''})" failed - error: command '${command.join(' ')}' exited with ${result.exitCode}: ${result.stderr}, message: "${result.stdout}${result.stderr}"`,
      );
  }
}
