import { Body, ConflictException, Controller, Inject, Param, Patch, Put } from '@nestjs/common';
import type { FrontendProblem } from '@orrery/dataplane';
import { Fleet } from '../fleet/fleet.js';
import { BadRulesError, isBad } from './bad-rules-error.js';
import { decodeChanges, decodeReplacement } from './rule-set.request.js';

/** The socket on which kube-proxies program the dataplane. */
@Controller()
export class RulesController {
  constructor(@Inject(Fleet) private readonly fleet: Fleet) {}

  @Put('nodes/:node/rules')
  async replace(
    @Param('node') node: string,
    @Body() body: unknown,
  ): Promise<{ problems: readonly FrontendProblem[] }> {
    const set = decodeReplacement(body);
    if (isBad(set)) throw new BadRulesError(set.join('; '));
    return { problems: await this.fleet.replace({ node, ...set }) };
  }

  @Patch('nodes/:node/rules')
  async change(
    @Param('node') node: string,
    @Body() body: unknown,
  ): Promise<{ problems: readonly FrontendProblem[] }> {
    const changes = decodeChanges(body);
    if (isBad(changes)) throw new BadRulesError(changes.join('; '));
    const problems = await this.fleet.change(node, changes);
    if (!problems) throw new ConflictException(`no rules of node ${node} are known: send them all`);
    return { problems };
  }
}
