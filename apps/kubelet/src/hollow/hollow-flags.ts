import { Flag } from '@orrery/component';
import { IsBoolean, IsInt, IsString, Matches, Min } from 'class-validator';

/** Flags of the process that runs hollow nodes. */
export class HollowFlags {
  @Flag('kubeconfig of the API server, live or a fork')
  @IsString()
  kubeconfig = '';

  @Flag('folder of pods and volumes; a folder a node is made in it')
  @IsString()
  rootDir = '/var/lib/hollow-nodes';

  @Flag('make this many new nodes, hollow-0001 and so on, instead of adopting those that are there')
  @IsInt()
  @Min(0)
  hollowNodes = 0;

  @Flag("write the events of new nodes and their pods, which upstream's hollow nodes do not")
  @IsBoolean()
  podEvents = false;

  @Flag('first part of the names of new nodes')
  @Matches(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
  namePrefix = 'hollow';
}
