import { IsIn, IsInt, IsIP, IsOptional, Max, Min } from 'class-validator';
import { Flag, IsDuration, Only } from '@orrery/component';
import { ExtensionOptions } from './extension-options.js';

/** Flags of kube-apiserver by upstream's names, and ours at the end. Initial values are the defaults. */
export class ApiServerOptions extends ExtensionOptions {
  @Flag('etcd servers, comma-separated: http(s)://host:port')
  etcdServers: string[] = [];

  @Flag('prefix of all keys in etcd')
  etcdPrefix: string = '/registry';

  @Flag('CA file of etcd', 'etcd-cafile')
  etcdCaFile: string = '';

  @Flag('client certificate file for etcd', 'etcd-certfile')
  etcdCertFile: string = '';

  @Flag('client key file for etcd', 'etcd-keyfile')
  etcdKeyFile: string = '';

  @Flag('user of etcd, where it asks for one; its role must be able to read every key')
  etcdUsername: string = '';

  @Flag('file with the password of that user')
  etcdPasswordFile: string = '';

  @Flag('address to serve on')
  @IsIP()
  bindAddress: string = '0.0.0.0';

  @Flag('port to serve HTTPS on')
  @IsInt()
  @Min(0)
  @Max(65535)
  securePort: number = 6443;

  @Flag('address under which members of the cluster reach this server; default: the bind address')
  @IsOptional()
  @IsIP()
  advertiseAddress: string | undefined = undefined;

  @Flag('serving certificate file; one is made in memory when absent')
  tlsCertFile: string = '';

  @Flag('serving key file')
  tlsPrivateKeyFile: string = '';

  @Flag('CA file for client certificates', 'client-ca-file')
  clientCaFile: string = '';

  @Flag('files with public keys that verify service-account tokens')
  serviceAccountKeyFile: string[] = [];

  @Flag('key file that signs service-account tokens')
  serviceAccountSigningKeyFile: string = '';

  @Flag('issuer of service-account tokens')
  serviceAccountIssuer: string[] = ['https://kubernetes.default.svc.cluster.local'];

  @Flag('audiences of service-account tokens; default: the issuer')
  apiAudiences: string[] = [];

  @Flag('CIDR of cluster IPs, or one of each family separated by a comma: the first is the default')
  serviceClusterIpRange: string = '10.0.0.0/24';

  @Flag('range of node ports')
  serviceNodePortRange: string = '30000-32767';

  @Flag('authorizers, in order: AlwaysAllow, AlwaysDeny, Node, RBAC')
  authorizationMode: string[] = ['AlwaysAllow'];

  @Flag('requests without credentials are system:anonymous')
  anonymousAuth: boolean = true;

  /** The paths at which alone they are let in, as --authentication-config says; undefined = all. */
  anonymousPaths: readonly string[] | undefined = undefined;

  @Flag('admission plugins besides the default ones')
  enableAdmissionPlugins: string[] = [];

  @Flag('admission plugins to leave out')
  disableAdmissionPlugins: string[] = [];

  @Flag('client certificate file for kubelets')
  kubeletClientCertificate: string = '';

  @Flag('client key file for kubelets')
  kubeletClientKey: string = '';

  @Flag('CA file of kubelet serving certificates')
  kubeletCertificateAuthority: string = '';

  @Flag('address types of nodes, by preference')
  kubeletPreferredAddressTypes: string[] = ['Hostname', 'InternalDNS', 'InternalIP'];

  @Flag('file with static tokens: token,user,uid,"group1,group2"')
  tokenAuthFile: string = '';

  @Flag('accept bootstrap tokens')
  enableBootstrapTokenAuth: boolean = false;

  @Flag('CA file of the front proxy', 'requestheader-client-ca-file')
  requestheaderClientCaFile: string = '';

  @Flag('allow privileged containers')
  @Only([true], 'privileged containers are forbidden by PodSecurity')
  allowPrivileged: boolean = true;

  @Flag('group versions to serve or not: <group>/<version>=true|false, api/beta=…, api/all=…')
  runtimeConfig: string[] = [];

  @Flag('serve the versions of APIs that upstream has removed since 1.16, as far as they are known')
  serveRemovedApis: boolean = false;

  @Flag('time after which events are removed')
  @IsDuration()
  eventTtl: string = '1h';

  @Flag('time limit of requests that are not long-running')
  @IsDuration()
  requestTimeout: string = '1m0s';

  @Flag(
    'streams that a client may have open on one HTTP/2 connection; 0 = 100',
    'http2-max-streams-per-connection',
  )
  @IsInt()
  @Min(0)
  http2MaxStreamsPerConnection: number = 0;

  @Flag('serve HTTP/1.1 alone', 'disable-http2-serving')
  disableHttp2Serving: boolean = false;

  @Flag('reads that are served at once', 'max-requests-inflight')
  @IsInt()
  @Min(0)
  maxRequestsInflight: number = 400;

  @Flag('writes that are served at once', 'max-mutating-requests-inflight')
  @IsInt()
  @Min(0)
  maxMutatingRequestsInflight: number = 200;

  @Flag('share the sum of both between the levels of FlowSchemas, with fair queues')
  enablePriorityAndFairness: boolean = true;

  @Flag(
    'shortest time that a watch is kept open, in seconds; each gets a random time up to twice that',
  )
  @IsInt()
  @Min(0)
  minRequestTimeout: number = 1800;

  @Flag('pod CIDRs of the cluster; their addresses are legal in Endpoints though they are loopback')
  clusterCidr: string = '';

  @Flag('serve /faults, where tests make requests fail and watches break on purpose')
  enableFaults: boolean = false;

  @Flag('how long history is kept: every revision younger than this can be read, below /at/')
  @IsDuration()
  historyRetention: string = '24h0m0s';

  @Flag('time between two compactions of what is older; 0 = nothing is ever compacted')
  @IsDuration()
  etcdCompactionInterval: string = '5m0s';

  @Flag('bytes at which etcd takes no more writes; 0 = ask its metrics')
  @IsInt()
  @Min(0)
  etcdQuotaBackendBytes: number = 0;

  @Flag('where reads are answered from: cache or quorum')
  @IsIn(['cache', 'quorum'])
  reads: string = 'cache';

  @Flag('record who made each write, when, and what it reacted to, in the same transaction')
  causeRecords: boolean = true;
}
