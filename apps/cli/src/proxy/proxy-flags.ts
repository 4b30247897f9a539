import { Flag } from '@orrery/component';
import { IsIn, IsString } from 'class-validator';

/** Flags of `orrery proxy rules`. */
export class ProxyRulesFlags {
  @Flag('kubeconfig; default: KUBECONFIG, ~/.kube/config, else that of the cluster "orrery"')
  @IsString()
  kubeconfig: string = '';

  @Flag('context of the kubeconfig; default: the current one')
  @IsString()
  context: string = '';

  @Flag('node whose rules are printed; default: the first one')
  @IsString()
  node: string = '';

  @Flag('table, iptables-save, ip6tables-save or ipvsadm')
  @IsIn(['table', 'iptables-save', 'ip6tables-save', 'ipvsadm'])
  as: string = 'table';

  @Flag('generation of kube-proxy for iptables-save: current or 1.20')
  @IsIn(['current', '1.20'])
  like: string = 'current';
}

/** Flags of `orrery proxy connections`. */
export class ProxyConnectionsFlags {
  @Flag('name of the cluster')
  @IsString()
  name: string = 'orrery';

  @Flag('control socket of a dataplane: unix:///path; default: the one of the cluster')
  @IsString()
  dataplane: string = '';

  @Flag('(-o) table or json')
  @IsIn(['table', 'json'])
  output: string = 'table';
}

/** Flags of `orrery proxy handover`. */
export class ProxyHandoverFlags {
  @Flag('name of the cluster')
  @IsString()
  name: string = 'orrery';

  @Flag('node whose dataplane is replaced, where each has one; default: all')
  @IsString()
  node: string = '';
}
