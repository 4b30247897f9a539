import {
  Controller,
  Get,
  Inject,
  Param,
  Query,
  Req,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { findContainer, uidOf } from '../containers/visit.js';
import type { Kubelet } from '../kubelet.js';
import { AuthGuard, RefusalFilter } from './auth.guard.js';
import { KUBELET } from './kubelet.controller.js';
import { parseLogOptions } from './log-lines.js';
import type { LogOptions } from './log-lines.js';
import { readLog } from './log-reader.js';
import { LogTargetError, logTarget } from './log-target.js';
import { sendText } from './send-text.js';

type Query = Readonly<Record<string, string | undefined>>;

/** `kubectl logs`, with all of its options. */
@Controller()
@UseFilters(RefusalFilter)
@UseGuards(AuthGuard)
export class LogsController {
  constructor(@Inject(KUBELET) private readonly kubelet: Kubelet) {}

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
      sendText(reply, 422, error instanceof Error ? error.message : String(error));
      return;
    }
    const { namespace, pod: podName, container } = params;
    const pod = this.kubelet.directory.find(namespace, podName);
    if (!pod) {
      sendText(reply, 404, `pod "${podName}" not found`);
      return;
    }
    if (!findContainer(pod, container)) {
      sendText(reply, 404, `container "${container}" not found in pod "${podName}"`);
      return;
    }
    await this.stream(uidOf(pod), podName, container, { options, request, reply });
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
      sendText(reply, 400, error.message);
      return;
    }
    const find = (): { logPath: string; state: string } | undefined =>
      kubelet.cache.get(uid)?.containers.find((one) => one.id === id);
    const path = find()?.logPath;
    if (!path) {
      sendText(
        reply,
        404,
        `unable to retrieve container logs for ${kubelet.node.runtimeName}://${id}`,
      );
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
