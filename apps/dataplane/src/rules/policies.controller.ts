import { Body, Controller, Get, HttpCode, Inject, Put } from '@nestjs/common';
import type { PolicySet } from '@orrery/network-policy';
import { Fleet } from '../fleet/fleet.js';
import { BadRulesError, isBad } from './bad-rules-error.js';
import { decodePolicies } from './rule-set.request.js';

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
    const set = decodePolicies(body);
    if (isBad(set)) throw new BadRulesError(set.join('; '));
    await this.fleet.setPolicies(set);
  }
}
