import { Flag } from '@orrery/component';
import { LeaderElectedFlags } from '@orrery/controller';
import { IsString } from 'class-validator';

/** The flags of kube-scheduler that are modelled, with upstream's names and defaults. A --config file goes before them. */
export class SchedulerFlags extends LeaderElectedFlags {
  override leaderElectResourceName: string = 'kube-scheduler';
  override securePort: number = 10_259;

  @Flag('KubeSchedulerConfiguration file')
  @IsString()
  config: string = '';
}
