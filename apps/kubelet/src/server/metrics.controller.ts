import { Controller, Get, Inject, Query, Res, UseFilters, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { KUBERNETES_VERSION } from '@orrery/component';
import type { Kubelet } from '../kubelet.js';
import { readPressure } from '../node/pressure.js';
import { AuthGuard, RefusalFilter } from './auth.guard.js';
import { cadvisorMetrics } from './stats/cadvisor.js';
import { KUBELET } from './kubelet.controller.js';
import { family } from './prometheus-text.js';
import { briefOf, resourceMetrics, summaryOf } from './stats/stats.js';
import type { StatsInput } from './stats/stats.js';
import { VolumeMeter } from './stats/volume-stats.js';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function sendMetrics(reply: FastifyReply, text: string): void {
  void reply.type(CONTENT_TYPE).send(text);
}

/** What the node and its containers use, for metrics-server and Prometheus. */
@Controller()
@UseFilters(RefusalFilter)
@UseGuards(AuthGuard)
export class MetricsController {
  private readonly volumes: VolumeMeter;

  constructor(@Inject(KUBELET) private readonly kubelet: Kubelet) {
    this.volumes = new VolumeMeter(kubelet.clock);
  }

  @Get('stats/summary')
  async summary(
    @Query('only_cpu_and_memory') onlyCpuAndMemory: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { volumes, workers } = this.kubelet;
    if (onlyCpuAndMemory === 'true') {
      void reply.send(briefOf(summaryOf(await this.stats())));
      return;
    }
    const held = await this.volumes.of(workers.active(), (pod) => volumes.mountsOf(pod));
    void reply.send(summaryOf({ ...(await this.stats()), volumes: held }));
  }

  @Get('metrics')
  metrics(@Res() reply: FastifyReply): void {
    const { cache, options, care, workers } = this.kubelet;
    const containers = cache.all().flatMap((pod) => pod.containers);
    const states = ['created', 'running', 'exited', 'unknown'] as const;
    const running = cache.all().filter((pod) => pod.sandboxes.some((one) => one.ready));
    sendMetrics(
      reply,
      [
        family('kubernetes_build_info', 'gauge', 'The build of this kubelet', [
          { labels: { git_version: KUBERNETES_VERSION }, value: 1 },
        ]),
        family('kubelet_node_name', 'gauge', "The node's name. The count is always 1.", [
          { labels: { node: options.nodeName }, value: 1 },
        ]),
        family('kubelet_running_pods', 'gauge', 'Number of pods that have a running pod sandbox', [
          { value: running.length },
        ]),
        family(
          'kubelet_running_containers',
          'gauge',
          'Number of containers currently running',
          states.map((state) => ({
            labels: { container_state: state },
            value: containers.filter((one) => one.state === state).length,
          })),
        ),
        family('kubelet_active_pods', 'gauge', 'The number of pods the kubelet considers active', [
          { value: workers.active().length },
        ]),
        family(
          'kubelet_evictions',
          'counter',
          'Cumulative number of pod evictions by eviction signal',
          [...care.eviction.counts].map(([signal, value]) => ({
            labels: { eviction_signal: signal },
            value,
          })),
        ),
      ].join(''),
    );
  }

  @Get('metrics/resource')
  async resource(@Res() reply: FastifyReply): Promise<void> {
    sendMetrics(reply, resourceMetrics(await this.stats()));
  }

  @Get('metrics/cadvisor')
  async cadvisor(@Res() reply: FastifyReply): Promise<void> {
    const { usage, pods, machine } = await this.stats();
    sendMetrics(reply, cadvisorMetrics(usage, pods, machine));
  }

  @Get('metrics/probes')
  probes(@Res() reply: FastifyReply): void {
    const text =
      'Cumulative number of a liveness, readiness or startup probe for a container by result.';
    sendMetrics(reply, family('prober_probe_total', 'counter', text, this.kubelet.probes.counts()));
  }

  private async stats(): Promise<StatsInput> {
    const { runtime, cache, options, node, clock, startedAtMs } = this.kubelet;
    return {
      nodeName: options.nodeName,
      usage: await runtime.usage(),
      imageBytes: await runtime.imageBytes(),
      pods: cache.all(),
      machine: { ...node.machine(), pressure: readPressure() },
      startedAtMs,
      nowMs: clock.now(),
    };
  }
}
