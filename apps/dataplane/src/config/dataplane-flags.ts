import { Flag, IsDuration } from '@orrery/component';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

/** The flags of the dataplane. */
export class DataplaneFlags {
  @Flag('unix socket on which kube-proxies program it: unix:///path')
  @Matches(/^unix:\/\/\/.+/, { message: 'listen must be unix:///PATH' })
  listen = '';

  @Flag('CIDRs whose addresses may be dialled as backends (pods), comma-separated')
  @IsString({ each: true })
  clusterCidr: string[] = [];

  @Flag(
    'CIDRs of the nodes, whose addresses may be dialled but for the ports of the control plane, comma-separated',
  )
  @IsString({ each: true })
  nodeCidr: string[] = [];

  @Flag('address:port for /metrics and /healthz; empty = only on the socket')
  @IsOptional()
  @Matches(/^(\d{1,3}\.){3}\d{1,3}:\d+$/, { message: 'metrics-bind-address must be ADDRESS:PORT' })
  metricsBindAddress?: string = undefined;

  @Flag(
    'processes that share the ports; 0 = one a core, at most 4, further ones when there is load',
  )
  @IsInt()
  @Min(0)
  @Max(64)
  workers = 0;

  @Flag('time that a backend has to accept a connection')
  @IsDuration()
  dialTimeout = '2s';

  @Flag('time that connections of a removed endpoint live on; 0s = until one side closes')
  @IsDuration()
  drainTimeout = '0s';

  @Flag('first, or further for a process that the first one has started')
  @IsIn(['first', 'further'])
  role: 'first' | 'further' = 'first';
}
