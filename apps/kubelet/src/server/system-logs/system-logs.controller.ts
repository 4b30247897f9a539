import { Controller, Get, Inject, Req, Res, UseFilters, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Kubelet } from '../../kubelet.js';
import { AuthGuard, RefusalFilter } from '../auth.guard.js';
import { serveFile } from './file-server.js';
import { KUBELET } from '../kubelet.controller.js';
import { sendText } from '../send-text.js';

/** `kubectl get --raw /api/v1/nodes/NODE/proxy/logs/`: the machine's log files (k8s pkg/kubelet/kubelet.go:ServeLogs). */
@Controller()
@UseFilters(RefusalFilter)
@UseGuards(AuthGuard)
export class SystemLogsController {
  constructor(@Inject(KUBELET) private readonly kubelet: Kubelet) {}

  @Get('logs')
  logs(@Res() reply: FastifyReply): void {
    void reply.redirect('/logs/', 301);
  }

  @Get('logs/*')
  async file(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { systemLogsDir } = this.kubelet.options.paths;
    if (systemLogsDir === undefined) {
      sendText(reply, 405, 'logs endpoint is disabled.\n');
      return;
    }
    reply.hijack();
    const path = (request.raw.url ?? '').replace(/^\/+logs\//, '');
    await serveFile(systemLogsDir, path, request.raw, reply.raw);
  }
}
