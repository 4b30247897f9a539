import { ConfigError } from '@orrery/component';
import { IsBoolean, IsInt, Max, Min, validateSync } from 'class-validator';
import { MAX_NODES } from '../cluster/layout.js';

/** Which parts of a cluster run. */
export class TestClusterOptions {
  /** Nodes, the first of them the control plane's when there is more than one; 0 = the API and its controllers alone. */
  @IsInt()
  @Min(0)
  @Max(MAX_NODES)
  nodes = 1;

  @IsBoolean()
  controllers = true;

  @IsBoolean()
  scheduler = true;

  /** kube-proxy on each node, so that Services can be called. */
  @IsBoolean()
  services = false;
}

/** Throws ConfigError naming what is wrong. */
export function toTestClusterOptions(
  params: Readonly<Record<string, unknown>>,
): TestClusterOptions {
  const options = new TestClusterOptions();
  const unknown = Object.keys(params).find((key) => !(key in options));
  if (unknown !== undefined)
    throw new ConfigError(
      `createCluster: unknown option ${unknown}; there are ${Object.keys(options).join(', ')}`,
    );
  Object.assign(options, params);
  const [wrong] = validateSync(options);
  if (wrong)
    throw new ConfigError(`createCluster: ${Object.values(wrong.constraints ?? {}).join('; ')}`);
  return options;
}
