import { Flag } from '@orrery/component';
import { IsString } from 'class-validator';

/** Flags of the process that runs hollow nodes. */
export class HollowFlags {
  @Flag('kubeconfig of the API server, live or a fork')
  @IsString()
  kubeconfig = '';

  @Flag('folder of pods and volumes; a folder a node is made in it')
  @IsString()
  rootDir = '/var/lib/hollow-nodes';
}
