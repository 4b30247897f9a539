import { Flag } from '@orrery/component';
import { IsOptional, IsString, Matches } from 'class-validator';

/** The flags of the dataplane. */
export class DataplaneFlags {
  @Flag('unix socket on which kube-proxies program it: unix:///path')
  @Matches(/^unix:\/\/\/.+/, { message: 'listen must be unix:///PATH' })
  listen = '';

  @Flag('CIDRs whose addresses may be dialled as backends (pods, nodes), comma-separated')
  @IsString({ each: true })
  clusterCidr: string[] = [];

  @Flag('address:port for /metrics and /healthz; empty = only on the socket')
  @IsOptional()
  @Matches(/^(\d{1,3}\.){3}\d{1,3}:\d+$/, { message: 'metrics-bind-address must be ADDRESS:PORT' })
  metricsBindAddress?: string = undefined;
}
