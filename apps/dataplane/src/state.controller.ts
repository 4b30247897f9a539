import { Controller, Get, HttpCode, Inject, Post, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { RuleSet, RuleView, RuledConnection } from '@orrery/dataplane';
import { Fleet } from './fleet/fleet.js';

/** What the dataplane holds, for people, metrics and a successor. */
@Controller()
export class StateController {
  private readonly watchers = new Set<ServerResponse>();

  constructor(@Inject(Fleet) private readonly fleet: Fleet) {}

  @Get('rules')
  view(): Promise<readonly RuleView[]> {
    return this.fleet.view();
  }

  @Get('connections')
  connections(): Promise<readonly RuledConnection[]> {
    return this.fleet.connections();
  }

  @Get('counters')
  counters(): Promise<Readonly<Record<string, number>>> {
    return this.fleet.counters();
  }

  @Get('sets')
  sets(): readonly RuleSet[] {
    return this.fleet.sets();
  }

  @Get('processes')
  processes(): { processes: number } {
    return { processes: this.fleet.size };
  }

  /** A successor is about to take over: where it gets the sockets on which this one listens. */
  @Post('offers')
  @HttpCode(200)
  offers(): Promise<readonly string[]> {
    return this.fleet.offer();
  }

  /** Another process has taken over: no new connection is taken here. */
  @Post('release')
  @HttpCode(200)
  async release(): Promise<string> {
    await this.fleet.release();
    for (const response of this.watchers) response.end();
    return 'released';
  }

  /** Stays open as long as this process takes connections: its end tells a kube-proxy to send its rules again. */
  @Get('alive')
  alive(@Res() reply: FastifyReply): void {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/plain' });
    reply.raw.write('alive\n');
    this.watchers.add(reply.raw);
    reply.raw.on('close', () => this.watchers.delete(reply.raw));
  }

  @Get('healthz')
  health(): string {
    return 'ok';
  }
}
