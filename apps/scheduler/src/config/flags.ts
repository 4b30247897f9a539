import { Flag, IsDuration } from '@orrery/component';
import { IsBoolean, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';

/** The flags of kube-scheduler that are modelled, with upstream's names and defaults. A --config file goes before them. */
export class SchedulerFlags {
  @Flag('Kubeconfig with the address and the credentials of the API server')
  @IsString()
  kubeconfig: string = '';

  @Flag('KubeSchedulerConfiguration file')
  @IsString()
  config: string = '';

  @Flag('Contend for the lease before acting')
  @IsBoolean()
  leaderElect: boolean = true;

  @Flag('How long others wait after the last renewal of the lease')
  @IsDuration()
  leaderElectLeaseDuration: string = '15s';

  @Flag('How long after its last renewal a leader still acts')
  @IsDuration()
  leaderElectRenewDeadline: string = '10s';

  @Flag('Time between tries to take or renew the lease')
  @IsDuration()
  leaderElectRetryPeriod: string = '2s';

  @Flag('Namespace of the lease')
  @IsString()
  leaderElectResourceNamespace: string = 'kube-system';

  @Flag('Name of the lease')
  @IsString()
  leaderElectResourceName: string = 'kube-scheduler';

  @Flag('Address of /healthz and /metrics; none = not served')
  @IsOptional()
  @IsString()
  bindAddress: string = '';

  @Flag('Port of /healthz and /metrics')
  @IsInt()
  @Min(0)
  @Max(65_535)
  securePort: number = 10_259;
}
