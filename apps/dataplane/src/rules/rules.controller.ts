import { Body, ConflictException, Controller, Inject, Param, Patch, Put } from '@nestjs/common';
import { ConfigError, validateConfig } from '@orrery/component';
import type { FrontendProblem } from '@orrery/dataplane';
import { Fleet } from '../fleet/fleet.js';
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
  constructor(@Inject(Fleet) private readonly fleet: Fleet) {}

  @Put('nodes/:node/rules')
  async replace(
    @Param('node') node: string,
    @Body() body: unknown,
  ): Promise<{ problems: readonly FrontendProblem[] }> {
    const { sources, rules } = decode(ReplaceRequest, body);
    return { problems: await this.fleet.replace({ node, sources, rules }) };
  }

  @Patch('nodes/:node/rules')
  async change(
    @Param('node') node: string,
    @Body() body: unknown,
  ): Promise<{ problems: readonly FrontendProblem[] }> {
    const problems = await this.fleet.change(node, decode(ChangeRequest, body));
    if (!problems) throw new ConflictException(`no rules of node ${node} are known: send them all`);
    return { problems };
  }
}
