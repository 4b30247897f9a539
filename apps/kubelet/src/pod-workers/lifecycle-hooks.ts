import type { Container, LifecycleHandler, Pod } from '@orrery/api';
import { joinHostPort } from '@orrery/component';
import type { Clock } from '@orrery/component';
import type { PodMetrics } from '../metrics/pod-metrics.js';
import { httpGet } from '../probes/http-get.js';
import type { HttpAnswer, HttpTarget } from '../probes/http-get.js';
import { resolvePort } from '../probes/resolve-port.js';
import type { Runtime } from '../runtime/runtime.js';
import { noPodEvents } from './pod-events.js';
import type { PodEvents } from './pod-events.js';

export interface HookTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** What a TLS client says of an answer in plain HTTP. */
const PLAIN_ANSWERS = new Set([
  'EPROTO',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

const isPlainAnswer = ({ cause }: Error): boolean =>
  PLAIN_ANSWERS.has((cause as NodeJS.ErrnoException | undefined)?.code ?? '');

/** Runs postStart and preStop handlers; rejects with the message that upstream shows. */
export class LifecycleHooks {
  constructor(
    private readonly runtime: Runtime,
    private readonly clock: Clock,
    private readonly metrics?: PodMetrics['hooks'],
    private readonly events: PodEvents = noPodEvents,
  ) {}

  async run(handler: LifecycleHandler, target: HookTarget, timeoutMs: number): Promise<void> {
    if (handler.exec) await this.exec(handler.exec.command ?? [], target, timeoutMs);
    else if (handler.httpGet) {
      const { httpHeaders = [], path = '/', scheme = 'HTTP', host, port } = handler.httpGet;
      const answer = await this.get(
        {
          scheme,
          host: host ?? target.podIp,
          port: resolvePort(port, target.container),
          path,
          headers: httpHeaders,
        },
        target,
        timeoutMs,
      );
      if (answer.code < 200 || answer.code >= 400)
        throw new Error(`HTTP lifecycle hook (${path}) failed with status ${answer.code}`);
    } else if (handler.sleep) {
      const ms = handler.sleep.seconds * 1000;
      await this.clock.sleep(Math.min(ms, timeoutMs));
      if (ms > timeoutMs) this.metrics?.shortSleeps.inc();
    } else if (handler.tcpSocket) throw new Error('tcpSocket lifecycle hooks are not supported');
  }

  /** A server that answers HTTPS in plain HTTP is asked again so (k8s pkg/kubelet/lifecycle/handlers.go:runHTTPHandler). */
  private async get(
    asked: HttpTarget,
    { pod, container }: HookTarget,
    timeoutMs: number,
  ): Promise<HttpAnswer> {
    try {
      return await httpGet(asked, timeoutMs);
    } catch (error) {
      if (asked.scheme !== 'HTTPS' || !(error instanceof Error) || !isPlainAnswer(error))
        throw error;
      const headers = asked.headers.filter(({ name }) => name.toLowerCase() !== 'authorization');
      const answer = await httpGet({ ...asked, scheme: 'HTTP', headers }, timeoutMs).catch(() => {
        throw error;
      });
      this.metrics?.httpFallbacks.inc();
      const host = joinHostPort(asked.host, asked.port);
      const message = `request to HTTPS lifecycle hook ${host} got HTTP response, retry with HTTP succeeded`;
      this.events.pod(pod, 'Warning', 'LifecycleHTTPFallback', message, container.name);
      return answer;
    }
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
