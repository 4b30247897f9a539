import { Flag } from '@orrery/component';
import { IsBoolean, IsOptional, IsString, Matches } from 'class-validator';

/** The flags of kube-proxy; what the configuration file has too is taken from the file. */
export class KubeProxyFlags {
  @Flag('KubeProxyConfiguration file')
  @IsString()
  config = '';

  @Flag('name of the node, when it is not the host name')
  @IsOptional()
  @IsString()
  hostnameOverride?: string = undefined;

  @Flag('kubeconfig to use instead of clientConnection.kubeconfig')
  @IsOptional()
  @IsString()
  kubeconfig?: string = undefined;

  @Flag("the host's dataplane: unix:///path")
  @Matches(/^unix:\/\/\/.+/, { message: 'dataplane must be unix:///PATH' })
  dataplane = '';

  @Flag('put changes of the configuration file in force at once, instead of at the next start')
  @IsBoolean()
  watchConfig = false;
}
