import { Flag } from '@orrery/component';
import { IsIn, IsInt, IsString, Max, Min } from 'class-validator';

/** The flags by which kubectl finds its cluster. */
export class ConnectionFlags {
  @Flag('kubeconfig; default: KUBECONFIG, ~/.kube/config, else that of the cluster "orrery"')
  @IsString()
  kubeconfig: string = '';

  @Flag('context of the kubeconfig; default: the current one')
  @IsString()
  context: string = '';

  @Flag('(-n) namespace; default: that of the context')
  @IsString()
  namespace: string = '';
}

export class HistoryFlags extends ConnectionFlags {
  @Flag('(-o) text or json')
  @IsIn(['text', 'json'])
  output: string = 'text';

  @Flag('most writes that are shown, the newest ones')
  @IsInt()
  @Min(1)
  @Max(500)
  limit: number = 50;

  @Flag('show every change, and values in full')
  full: boolean = false;

  @Flag('also earlier objects of the same name, which were deleted')
  all: boolean = false;
}

export class DiffFlags extends ConnectionFlags {
  @Flag('the earlier moment: a revision, an RFC 3339 time, or a time ago such as -5m')
  @IsString()
  from: string = '';

  @Flag('the later moment; default: now')
  @IsString()
  to: string = '';

  @Flag('(-A) the whole cluster')
  allNamespaces: boolean = false;

  @Flag('(-o) text or json')
  @IsIn(['text', 'json'])
  output: string = 'text';

  @Flag('show every change, and values in full')
  full: boolean = false;

  @Flag('most objects that are shown')
  @IsInt()
  @Min(1)
  @Max(5000)
  limit: number = 500;

  @Flag('also renewals of Leases')
  leases: boolean = false;
}

export class LogFlags extends ConnectionFlags {
  @Flag('(-f) go on with what happens')
  follow: boolean = false;

  @Flag(
    'where the log begins: a revision, an RFC 3339 time, or a time ago; default: -10m, with -f now',
  )
  @IsString()
  since: string = '';

  @Flag('where it ends; default: now')
  @IsString()
  to: string = '';

  @Flag('(-A) the whole cluster, which is the default unless -n is given')
  allNamespaces: boolean = false;

  @Flag('(-o) text or json (a line each)')
  @IsIn(['text', 'json'])
  output: string = 'text';

  @Flag('most lines')
  @IsInt()
  @Min(1)
  @Max(100_000)
  limit: number = 100_000;

  @Flag('also renewals of Leases')
  leases: boolean = false;

  @Flag('also Events; --events=false leaves them out')
  events: boolean = true;
}

export class ExplainFlags extends ConnectionFlags {
  @Flag('(-o) text, json, svg or html')
  @IsIn(['text', 'json', 'svg', 'html'])
  output: string = 'text';

  @Flag('the moment whose state is explained; default: now')
  @IsString()
  at: string = '';

  @Flag('also what else the first cause led to meanwhile; pictures always show it')
  related: boolean = false;

  @Flag("pods: each scheduler plugin's verdict and score per node, as of now")
  scheduling: boolean = false;
}
