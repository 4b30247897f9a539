import {
  Controller,
  Get,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HealthChecks, named, toHealthRequest } from '@orrery/component';
import type { Pod } from '@orrery/api';
import { uidOf } from '../containers/visit.js';
import type { Kubelet } from '../kubelet.js';
import { AuthGuard, RefusalFilter } from './auth.guard.js';
import { configz } from './configz.js';
import { sendText } from './send-text.js';
import { TargetError, runningContainer } from './stream-handler.js';

export const KUBELET = Symbol('Kubelet');

const RUN_TIMEOUT_MS = 120_000;

interface ContainerPath {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** The kubelet's HTTPS routes but logs, metrics, and the upgraded ones (stream-handler.ts). */
@Controller()
@UseFilters(RefusalFilter)
@UseGuards(AuthGuard)
export class KubeletController {
  private readonly checks: HealthChecks;

  constructor(@Inject(KUBELET) private readonly kubelet: Kubelet) {
    // As k8s pkg/kubelet/server/server.go:InstallAuthNotRequiredHandlers.
    const syncloop = {
      name: 'syncloop',
      check: () => (kubelet.isHealthy() ? undefined : 'sync Loop took longer than expected'),
    };
    const healthz = [named('ping'), named('log'), syncloop];
    this.checks = new HealthChecks({ healthz }, kubelet.metrics.sliRegistry);
  }

  @Get(['healthz', 'healthz/*'])
  async healthz(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const answer = await this.checks.serve(toHealthRequest(request.originalUrl));
    if (!answer) sendText(reply, 404, '404 page not found');
    else
      void reply
        .code(answer.status)
        .headers(answer.headers)
        .type(answer.contentType)
        .send(answer.body);
  }

  @Get('pods')
  pods(@Res() reply: FastifyReply): void {
    const items = this.kubelet.directory
      .all()
      .map((pod) => ({ ...pod, status: this.kubelet.statuses.get(uidOf(pod)) ?? pod.status }));
    void reply.send({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items });
  }

  /** What the runtime says that runs, whatever the API says. */
  @Get('runningpods')
  runningPods(@Res() reply: FastifyReply): void {
    const items = this.kubelet.cache.all().map(({ uid, name, namespace, containers }): Pod => {
      const running = containers.filter((one) => one.state === 'running');
      return {
        metadata: { name, namespace, uid },
        spec: { containers: running.map((one) => ({ name: one.name, image: one.image })) },
        status: {},
      };
    });
    void reply.send({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items });
  }

  @Get('configz')
  configz(@Res() reply: FastifyReply): void {
    void reply.send(configz(this.kubelet.options));
  }

  @Post('run/:namespace/:pod/:container')
  async run(
    @Param() params: ContainerPath,
    @Query('cmd') command: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    try {
      const id = runningContainer(this.kubelet, params.namespace, params.pod, params.container);
      const result = await this.kubelet.runtime.execSync(
        id,
        (command ?? '').split(' '),
        RUN_TIMEOUT_MS,
      );
      sendText(reply, 200, `${result.stdout}${result.stderr}`);
    } catch (error) {
      sendText(
        reply,
        error instanceof TargetError ? error.code : 500,
        error instanceof Error ? error.message : String(error),
      );
    }
  }

  /** Nothing is written: no runtime here can freeze a container (CVE-2025-0426 filled the disk through this). */
  @Post('checkpoint/:namespace/:pod/:container')
  checkpoint(@Param() params: ContainerPath, @Res() reply: FastifyReply): void {
    const { namespace, pod, container } = params;
    sendText(
      reply,
      501,
      `checkpointing of ${namespace}/${pod}/${container} failed (rpc error: code = Unimplemented desc = method CheckpointContainer not implemented)`,
    );
  }
}
