import {
  Body,
  ConflictException,
  Controller,
  Get,
  Inject,
  Param,
  Patch,
  Put,
  Res,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ConfigError, validateConfig } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
import type { FrontendProblem } from '@orrery/dataplane';
import { BadRulesError } from './bad-rules-error.js';
import { ChangeRequest, ReplaceRequest } from './rule-set.request.js';

function decode<T extends object>(Dto: new () => T, body: unknown): T {
  try {
    return validateConfig(Dto, body, 'rules');
  } catch (error) {
    if (error instanceof ConfigError) throw new BadRulesError(error.message, { cause: error });
    throw error;
  }
}

/** The socket on which kube-proxies program the dataplane. */
@Controller()
export class RulesController {
  constructor(@Inject(Dataplane) private readonly dataplane: Dataplane) {}

  @Put('nodes/:node/rules')
  async replace(
    @Param('node') node: string,
    @Body() body: unknown,
  ): Promise<{ problems: readonly FrontendProblem[] }> {
    const { sources, rules } = decode(ReplaceRequest, body);
    return { problems: await this.dataplane.replace({ node, sources, rules }) };
  }

  @Patch('nodes/:node/rules')
  async change(
    @Param('node') node: string,
    @Body() body: unknown,
  ): Promise<{ problems: readonly FrontendProblem[] }> {
    const problems = this.dataplane.change(node, decode(ChangeRequest, body));
    if (!problems) throw new ConflictException(`no rules of node ${node} are known: send them all`);
    return { problems: await problems };
  }

  @Get('rules')
  view(): ReturnType<Dataplane['view']> {
    return this.dataplane.view();
  }

  /** Stays open as long as this process lives: its end tells a kube-proxy to send its rules again. */
  @Get('alive')
  alive(@Res() reply: FastifyReply): void {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/plain' });
    reply.raw.write('alive\n');
  }

  @Get('healthz')
  health(): string {
    return 'ok';
  }
}
