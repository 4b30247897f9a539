import { Body, Controller, Get, HttpCode, Inject, Put } from '@nestjs/common';
import type { PolicySet } from '@orrery/network-policy';
import { Fleet } from '../fleet/fleet.js';
import { BadRulesError } from './bad-rules-error.js';

const isPolicySet = (body: unknown): body is PolicySet =>
  typeof body === 'object' &&
  body !== null &&
  ['rules', 'pods', 'nodes'].every((key) => Array.isArray((body as Record<string, unknown>)[key]));

/** NetworkPolicies, as every kube-proxy of this host compiles them from the same objects. */
@Controller()
export class PoliciesController {
  constructor(@Inject(Fleet) private readonly fleet: Fleet) {}

  /** For a successor, which must not let through what is forbidden now. */
  @Get('policies')
  view(): PolicySet {
    return this.fleet.policies;
  }

  @Put('policies')
  @HttpCode(204)
  async replace(@Body() body: unknown): Promise<void> {
    if (!isPolicySet(body))
      throw new BadRulesError('policies need the lists rules, pods and nodes');
    await this.fleet.setPolicies(body);
  }
}
