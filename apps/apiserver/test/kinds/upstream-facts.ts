/**
 * What discovery and tables of upstream 1.36 tell of each kind (pkg/registry/<group>/<kind>/storage, pkg/printers/internalversion/printers.go):
 * resource; short names; categories; whether metadata.generation is counted; whether a PUT of an absent name creates (c) and
 * whether a PUT may leave the resourceVersion out (u); what a completed deletion answers with (o = the object); columns, those of -o wide with `*`.
 */
const FACTS = `
core/v1/namespaces;ns;;-;u;o;Name,Status,Age
core/v1/nodes;no;;-;u;-;Name,Status,Roles,Age,Version,Internal-IP*,External-IP*,OS-Image*,Kernel-Version*,Container-Runtime*
core/v1/pods;po;all;g;u;o;Name,Ready,Status,Restarts,Age,IP*,Node*,Nominated Node*,Readiness Gates*
core/v1/podtemplates;;;g;u;o;Name,Containers,Images,Pod Labels
core/v1/services;svc;all;-;cu;o;Name,Type,Cluster-IP,External-IP,Port(s),Age,Selector*
core/v1/endpoints;ep;;-;cu;-;Name,Endpoints,Age
core/v1/configmaps;cm;;-;u;-;Name,Data,Age
core/v1/secrets;;;-;u;-;Name,Type,Data,Age
core/v1/serviceaccounts;sa;;-;u;o;Name,Secrets,Age
core/v1/events;ev;;-;cu;-;Last Seen,Type,Reason,Object,Subobject*,Source*,Message,First Seen*,Count*,Name*
core/v1/replicationcontrollers;rc;all;g;u;-;Name,Desired,Current,Ready,Age,Containers*,Images*,Selector*
core/v1/limitranges;limits;;-;cu;-;Name,Created At
core/v1/resourcequotas;quota;;-;u;o;Name,Request,Limit,Age
core/v1/persistentvolumes;pv;;-;u;o;Name,Capacity,Access Modes,Reclaim Policy,Status,Claim,StorageClass,VolumeAttributesClass,Reason,Age,VolumeMode*
core/v1/persistentvolumeclaims;pvc;;-;u;o;Name,Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age,VolumeMode*
apps/v1/deployments;deploy;all;g;u;-;Name,Ready,Up-to-date,Available,Age,Containers*,Images*,Selector*
apps/v1/replicasets;rs;all;g;u;-;Name,Desired,Current,Ready,Age,Containers*,Images*,Selector*
apps/v1/daemonsets;ds;all;g;u;-;Name,Desired,Current,Ready,Up-to-date,Available,Node Selector,Age,Containers*,Images*,Selector*
apps/v1/statefulsets;sts;all;g;u;-;Name,Ready,Age,Containers*,Images*
apps/v1/controllerrevisions;;;-;u;-;Name,Controller,Revision,Age
events.k8s.io/v1/events;ev;;-;cu;-;Last Seen,Type,Reason,Object,Subobject*,Source*,Message,First Seen*,Count*,Name*
autoscaling/v2/horizontalpodautoscalers;hpa;all;-;u;-;Name,Reference,Targets,MinPods,MaxPods,Replicas,Age
autoscaling/v1/horizontalpodautoscalers;hpa;all;-;u;-;Name,Reference,Targets,MinPods,MaxPods,Replicas,Age
batch/v1/jobs;;all;g;u;-;Name,Status,Completions,Duration,Age,Containers*,Images*,Selector*
batch/v1/cronjobs;cj;all;g;u;-;Name,Schedule,Timezone,Suspend,Active,Last Schedule,Age,Containers*,Images*,Selector*
certificates.k8s.io/v1/certificatesigningrequests;csr;;-;u;-;Name,Age,SignerName,Requestor,RequestedDuration,Condition
certificates.k8s.io/v1beta1/clustertrustbundles;;;-;;-;Name,SignerName
certificates.k8s.io/v1beta1/podcertificaterequests;;;-;;-;Name,PodName,ServiceAccountName,NodeName,SignerName,State,Age
networking.k8s.io/v1/networkpolicies;netpol;;g;u;-;Name,Pod-Selector,Age
networking.k8s.io/v1/ingresses;ing;;g;u;-;Name,Class,Hosts,Address,Ports,Age
networking.k8s.io/v1/ingressclasses;;;g;u;-;Name,Controller,Parameters,Age
networking.k8s.io/v1/ipaddresses;ip;;-;u;-;Name,ParentRef
networking.k8s.io/v1/servicecidrs;;;-;u;-;Name,CIDRs,Age
policy/v1/poddisruptionbudgets;pdb;;g;;-;Name,Min Available,Max Unavailable,Allowed Disruptions,Age
rbac.authorization.k8s.io/v1/roles;;;-;cu;-;Name,Created At
rbac.authorization.k8s.io/v1/rolebindings;;;-;cu;-;Name,Role,Age,Users*,Groups*,ServiceAccounts*
rbac.authorization.k8s.io/v1/clusterroles;;;-;cu;-;Name,Created At
rbac.authorization.k8s.io/v1/clusterrolebindings;;;-;cu;-;Name,Role,Age,Users*,Groups*,ServiceAccounts*
storage.k8s.io/v1/storageclasses;sc;;-;u;o;Name,Provisioner,ReclaimPolicy,VolumeBindingMode,AllowVolumeExpansion,Age
storage.k8s.io/v1/csinodes;;;-;;o;Name,Drivers,Age
storage.k8s.io/v1/csidrivers;;;g;;o;Name,AttachRequired,PodInfoOnMount,StorageCapacity,TokenRequests,RequiresRepublish,Modes,Age
storage.k8s.io/v1/volumeattachments;;;-;;o;Name,Attacher,PV,Node,Attached,Age
storage.k8s.io/v1/csistoragecapacities;;;-;;-;Name,StorageClassName,Capacity
storage.k8s.io/v1/volumeattributesclasses;vac;;-;u;o;Name,DriverName,Age
apiextensions.k8s.io/v1/customresourcedefinitions;crd,crds;api-extensions;g;;-;Name,Created At
apiregistration.k8s.io/v1/apiservices;;api-extensions;-;;-;Name,Service,Available,Age
admissionregistration.k8s.io/v1/mutatingwebhookconfigurations;;api-extensions;g;;-;Name,Webhooks,Age
admissionregistration.k8s.io/v1/validatingwebhookconfigurations;;api-extensions;g;;-;Name,Webhooks,Age
admissionregistration.k8s.io/v1/validatingadmissionpolicies;;api-extensions;g;;-;Name,Validations,ParamKind,Age
admissionregistration.k8s.io/v1/validatingadmissionpolicybindings;;api-extensions;g;;-;Name,PolicyName,ParamRef,Age
admissionregistration.k8s.io/v1/mutatingadmissionpolicies;;api-extensions;g;;-;Name,Mutations,ParamKind,Age
admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings;;api-extensions;g;;-;Name,PolicyName,ParamRef,Age
scheduling.k8s.io/v1/priorityclasses;pc;;g;u;-;Name,Value,Global-Default,Age,PreemptionPolicy
coordination.k8s.io/v1/leases;;;-;c;-;Name,Holder,Age
coordination.k8s.io/v1beta1/leasecandidates;;;-;c;-;Name,LeaseName,BinaryVersion,EmulationVersion,Age
node.k8s.io/v1/runtimeclasses;;;-;;-;Name,Handler,Age
discovery.k8s.io/v1/endpointslices;;;g;u;-;Name,AddressType,Ports,Endpoints,Age
flowcontrol.apiserver.k8s.io/v1/flowschemas;;;g;u;-;Name,PriorityLevel,MatchingPrecedence,DistinguisherMethod,Age,MissingPL
flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations;;;g;u;-;Name,Type,NominalConcurrencyShares,Queues,HandSize,QueueLengthLimit,Age
resource.k8s.io/v1/deviceclasses;;;g;u;-;Name,Age
resource.k8s.io/v1/resourceclaims;;;-;u;-;Name,State,Age
resource.k8s.io/v1/resourceclaimtemplates;;;-;u;-;Name,Age
resource.k8s.io/v1/resourceslices;;;g;u;-;Name,Node,Driver,Pool,Age
storagemigration.k8s.io/v1beta1/storageversionmigrations;;;g;;-;Name,Resource
`;

export interface Facts {
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly countsGeneration: boolean;
  readonly createsOnUpdate: boolean;
  readonly updatesBlindly: boolean;
  readonly returnsDeleted: boolean;
  readonly columns: readonly { readonly name: string; readonly priority: number }[];
}

const words = (text = ''): string[] => (text === '' ? [] : text.split(','));

function toFacts(line: string): [string, Facts] {
  const [id = '', shortNames, categories, generation, update = '', deleted, columns] =
    line.split(';');
  const facts: Facts = {
    shortNames: words(shortNames),
    categories: words(categories),
    countsGeneration: generation === 'g',
    createsOnUpdate: update.includes('c'),
    updatesBlindly: update.includes('u'),
    returnsDeleted: deleted === 'o',
    columns: words(columns).map((name) => ({
      name: name.replace('*', ''),
      priority: name.endsWith('*') ? 1 : 0,
    })),
  };
  return [id, facts];
}

/** By `group/version/plural`, the core group being `core`. */
export const upstreamFacts: ReadonlyMap<string, Facts> = new Map(
  FACTS.trim().split('\n').map(toFacts),
);
