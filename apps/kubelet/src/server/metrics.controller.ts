import { Controller, Get, Inject, Query, Res, UseFilters, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Kubelet } from '../kubelet.js';
import { certificatesOf } from '../metrics/certificates.js';
import { KubeletGauges } from '../metrics/kubelet-gauges.js';
import { readPressure } from '@orrery/component';
import { readTopology } from '../node/topology.js';
import { AuthGuard, RefusalFilter } from './auth.guard.js';
import { cadvisorMetrics } from './stats/cadvisor.js';
import { KUBELET } from './kubelet.controller.js';
import { briefOf, resourceMetrics, summaryOf } from './stats/stats.js';
import type { StatsInput } from './stats/stats.js';
import { VolumeMeter } from './stats/volume-stats.js';
import type { VolumeStats } from './stats/volume-stats.js';

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
  private readonly gauges: KubeletGauges;

  constructor(@Inject(KUBELET) private readonly kubelet: Kubelet) {
    this.volumes = new VolumeMeter(kubelet.clock, kubelet.metrics.volumes);
    this.gauges = new KubeletGauges(kubelet.metrics.registry, kubelet);
  }

  @Get('stats/summary')
  async summary(
    @Query('only_cpu_and_memory') onlyCpuAndMemory: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (onlyCpuAndMemory === 'true') {
      void reply.send(briefOf(summaryOf(await this.stats())));
      return;
    }
    const volumes = await this.heldByVolumes();
    void reply.send(summaryOf({ ...(await this.stats()), volumes }));
  }

  @Get('metrics')
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { options, metrics } = this.kubelet;
    await this.gauges.refresh(await this.heldByVolumes(), certificatesOf(options));
    sendMetrics(reply, await metrics.registry.text());
  }

  @Get('metrics/resource')
  async resource(@Res() reply: FastifyReply): Promise<void> {
    sendMetrics(reply, resourceMetrics(await this.stats()));
  }

  @Get('metrics/cadvisor')
  async cadvisor(@Res() reply: FastifyReply): Promise<void> {
    const metrics = await this.kubelet.runtime.metrics();
    const topology = readTopology();
    sendMetrics(reply, cadvisorMetrics({ ...(await this.stats()), metrics, topology }));
  }

  @Get('metrics/slis')
  async slis(@Res() reply: FastifyReply): Promise<void> {
    sendMetrics(reply, await this.kubelet.metrics.sliRegistry.text());
  }

  @Get('metrics/probes')
  async probes(@Res() reply: FastifyReply): Promise<void> {
    sendMetrics(reply, await this.kubelet.metrics.probeRegistry.text());
  }

  private heldByVolumes(): Promise<ReadonlyMap<string, readonly VolumeStats[]>> {
    const { volumes, workers } = this.kubelet;
    return this.volumes.of(workers.active(), (pod) => volumes.mountsOf(pod));
  }

  private async stats(): Promise<StatsInput> {
    const { runtime, cache, options, node, clock, startedAtMs } = this.kubelet;
    return {
      nodeName: options.nodeName,
      usage: await runtime.usage(),
      podUsage: await runtime.podUsage(),
      imageBytes: await runtime.imageBytes(),
      pods: cache.all(),
      machine: { ...node.machine(), pressure: readPressure((name) => `/proc/pressure/${name}`) },
      startedAtMs,
      nowMs: clock.now(),
    };
  }
}
