import { Controller, Get, Inject, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { findContainer, uidOf } from '../containers/visit.js';
import type { Kubelet } from '../kubelet.js';
import { AuthGuard } from './auth.guard.js';
import { parseLogOptions } from './log-lines.js';
import type { LogOptions } from './log-lines.js';
import { readLog } from './log-reader.js';
import { LogTargetError, logTarget } from './log-target.js';
import { resourceMetrics, summaryOf } from './stats.js';
import { TargetError, runningContainer } from './stream-handler.js';

export const KUBELET = Symbol('Kubelet');

type Query = Readonly<Record<string, string | undefined>>;

const RUN_TIMEOUT_MS = 120_000;

function send(reply: FastifyReply, code: number, text: string): void {
  void reply.code(code).type('text/plain; charset=utf-8').send(text);
}

/** The kubelet's HTTPS routes but the upgraded ones (stream-handler.ts). */
@Controller()
@UseGuards(AuthGuard)
export class KubeletController {
  constructor(@Inject(KUBELET) private readonly kubelet: Kubelet) {}

  @Get('healthz')
  healthz(@Res() reply: FastifyReply): void {
    const healthy = this.kubelet.isHealthy();
    send(reply, healthy ? 200 : 500, healthy ? 'ok' : 'pleg is not healthy');
  }

  @Get('pods')
  pods(@Res() reply: FastifyReply): void {
    const items = this.kubelet.directory
      .all()
      .map((pod) => ({ ...pod, status: this.kubelet.statuses.get(uidOf(pod)) ?? pod.status }));
    void reply.send({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items });
  }

  @Get('containerLogs/:namespace/:pod/:container')
  async logs(
    @Param() params: { namespace: string; pod: string; container: string },
    @Query() query: Query,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    let options: LogOptions;
    try {
      options = parseLogOptions(query, this.kubelet.clock.now());
    } catch (error) {
      send(reply, 422, error instanceof Error ? error.message : String(error));
      return;
    }
    const { namespace, pod: podName, container } = params;
    const pod = this.kubelet.directory.find(namespace, podName);
    if (!pod) {
      send(reply, 404, `pod "${podName}" not found`);
      return;
    }
    if (!findContainer(pod, container)) {
      send(reply, 404, `container "${container}" not found in pod "${podName}"`);
      return;
    }
    await this.stream(uidOf(pod), podName, container, { options, request, reply });
  }

  @Post('run/:namespace/:pod/:container')
  async run(
    @Param() params: { namespace: string; pod: string; container: string },
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
      send(reply, 200, `${result.stdout}${result.stderr}`);
    } catch (error) {
      send(
        reply,
        error instanceof TargetError ? error.code : 500,
        error instanceof Error ? error.message : String(error),
      );
    }
  }

  @Get('stats/summary')
  async summary(@Res() reply: FastifyReply): Promise<void> {
    void reply.send(
      summaryOf(
        this.kubelet.options.nodeName,
        await this.kubelet.runtime.usage(),
        this.kubelet.clock.now(),
      ),
    );
  }

  @Get('metrics')
  metrics(@Res() reply: FastifyReply): void {
    const running = this.kubelet.workers.active().length;
    send(
      reply,
      200,
      `# HELP kubelet_running_pods Number of pods that have a running pod sandbox\n# TYPE kubelet_running_pods gauge\nkubelet_running_pods ${running}\n`,
    );
  }

  @Get('metrics/resource')
  async resourceMetrics(@Res() reply: FastifyReply): Promise<void> {
    send(reply, 200, resourceMetrics(await this.kubelet.runtime.usage()));
  }

  private async stream(
    uid: string,
    podName: string,
    container: string,
    {
      options,
      request,
      reply,
    }: { options: LogOptions; request: FastifyRequest; reply: FastifyReply },
  ): Promise<void> {
    const { kubelet } = this;
    let id: string;
    try {
      const status = kubelet.statuses.get(uid) ?? kubelet.directory.get(uid)?.status ?? {};
      id = logTarget(podName, status, container, options.previous);
    } catch (error) {
      if (!(error instanceof LogTargetError)) throw error;
      send(reply, 400, error.message);
      return;
    }
    const find = (): { logPath: string; state: string } | undefined =>
      kubelet.cache.get(uid)?.containers.find((one) => one.id === id);
    const path = find()?.logPath;
    if (!path) {
      send(reply, 404, `unable to retrieve container logs for ${kubelet.node.runtimeName}://${id}`);
      return;
    }
    const abort = new AbortController();
    request.raw.socket.once('close', () => {
      abort.abort();
    });
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' });
    reply.raw.flushHeaders();
    try {
      const source = { path, isRunning: (): boolean => find()?.state === 'running' };
      for await (const text of readLog(source, options, kubelet.clock, abort.signal))
        if (!reply.raw.write(text)) await drained(reply, abort.signal);
    } catch (error) {
      kubelet.logger.warn('log not read', { path, error: String(error) });
    }
    reply.raw.end();
  }
}

function drained(reply: FastifyReply, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      reply.raw.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    reply.raw.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
