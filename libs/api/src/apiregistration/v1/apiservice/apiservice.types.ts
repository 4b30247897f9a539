import type { KubeObject } from '@orrery/apimachinery';

/** k8s kube-aggregator pkg/apis/apiregistration/v1/types.go. */
export interface APIServiceReference {
  name?: string;
  namespace?: string;
  port?: number;
}

export interface APIServiceCondition {
  lastTransitionTime?: string;
  message?: string;
  reason?: string;
  status: string;
  type: string;
}

export interface APIServiceSpec {
  caBundle?: string;
  group?: string;
  groupPriorityMinimum: number;
  insecureSkipTLSVerify?: boolean;
  /** Absent: served by this server itself. */
  service?: APIServiceReference;
  version?: string;
  versionPriority: number;
}

/** A group version that this server or another one serves. */
export interface APIService extends KubeObject {
  spec?: APIServiceSpec;
  status?: { conditions?: APIServiceCondition[] };
}
