import { Flag, IsDuration, Unset } from '@orrery/component';
import { LeaderElectedFlags } from '@orrery/controller';
import { IsString } from 'class-validator';

/** The flags of kube-scheduler that are modelled, with upstream's names and defaults. A --config file goes before them. */
export class SchedulerFlags extends LeaderElectedFlags {
  override leaderElectResourceName: string = 'kube-scheduler';
  override securePort: number = 10_259;

  @Flag('features that are off by default: none matters here', 'feature-gates')
  @Unset('no feature of the scheduler can be turned on or off')
  featureGates: string[] = [];

  @Flag('file to write the configuration to', 'write-config-to')
  @Unset('the configuration in effect is not written')
  writeConfigTo: string = '';

  @Flag(
    'time after which a pod that was refused is tried again whatever happens',
    'pod-max-in-unschedulable-pods-duration',
  )
  @IsDuration()
  podMaxInUnschedulablePodsDuration: string = '5m';

  @Flag('KubeSchedulerConfiguration file')
  @IsString()
  config: string = '';
}
