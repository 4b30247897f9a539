import type { KindDescriptor } from '@orrery/api';

/** What upstream's ObjectMeta says of its fields: these two are shown in its words (apimachinery …/types_swagger_doc_generated.go). */
const NAME =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';
const CREATED =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

/** What columns of one name say in all tables that have no words of their own. */
const COMMON: Readonly<Record<string, string>> = {
  Name: NAME,
  Age: CREATED,
  'Created At': CREATED,
  Containers: 'The names of the containers in the template.',
  Images: 'The images of these containers.',
  Selector: 'The labels by which the pods that belong to it are chosen.',
  'Pod Labels': 'The labels that pods made by it have.',
  Desired: 'How many pods there are to be.',
  Current: 'How many pods there are.',
  Ready: 'How many pods are ready.',
  'Up-to-date': 'How many pods are made by the newest template.',
  Available: 'How many pods have been ready for as long as they must be.',
  'Node Selector': 'The labels of the nodes on which pods are to run.',
  Status: 'In which state it is.',
  Type: 'Of which type it is.',
  Reason: 'Why it is in its state.',
  Data: 'How many entries it holds.',
  Secrets: 'How many secrets it names.',
  Node: 'The node to which it belongs.',
  Driver: 'The driver that serves it.',
  State: 'How far it has come.',
  Endpoints: 'Addresses behind it, with their ports.',
  Ports: 'The ports.',
  Controller: 'The controller that looks after it.',
  Capacity: 'How much it holds.',
  'Access Modes': 'How it may be mounted.',
  StorageClass: 'The class by which it was provided.',
  VolumeAttributesClass: 'The class of its attributes that can be changed.',
  VolumeMode: 'Whether it is a file system or a block device.',
  SignerName: 'The signer that is asked.',
  ParamKind: 'The kind of its parameters.',
  PolicyName: 'The policy that it binds.',
  ParamRef: 'The parameters that it names.',
  Role: 'The role that it grants.',
  Users: 'Users to whom it is granted.',
  Groups: 'Groups to whom it is granted.',
  ServiceAccounts: 'Service accounts to whom it is granted.',
  Webhooks: 'How many webhooks it has.',
  Message: 'What there is to say about it.',
};

/** Columns of one kind. */
const OF_KIND: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Pod: {
    Ready: 'How many of the containers are ready.',
    Status: 'The phase, or why the pod is not where it should be.',
    Restarts: 'How often containers were started again, and when last.',
    IP: 'The address of the pod.',
    Node: 'The node on which it runs.',
    'Nominated Node': 'The node where room is being made for it.',
    'Readiness Gates': 'How many of the further conditions for being ready are met.',
  },
  Node: {
    Status: 'Whether the node is ready, and whether pods may be put there.',
    Roles: 'The roles that its labels name.',
    Version: 'The version of its kubelet.',
    'Internal-IP': 'Its address inside the cluster.',
    'External-IP': 'Its address as seen from outside.',
    'OS-Image': 'Its operating system.',
    'Kernel-Version': 'The version of its kernel.',
    'Container-Runtime': 'Its container runtime and its version.',
  },
  Service: {
    Type: 'How the service is made known.',
    'Cluster-IP': 'Its address inside the cluster.',
    'External-IP': 'Addresses at which it is reached from outside.',
    'Port(s)': 'Its ports, with those of nodes, and their protocols.',
  },
  Event: {
    'Last Seen': 'How long ago it happened last.',
    'First Seen': 'How long ago it happened first.',
    Type: 'Whether it is normal or a warning.',
    Object: 'The object that it is about.',
    Subobject: 'The part of that object.',
    Source: 'Who reports it.',
    Count: 'How often it happened.',
  },
  Job: {
    Completions: 'How many pods have succeeded, of how many that must.',
    Duration: 'How long it took, or has been taking.',
  },
  CronJob: {
    Schedule: 'When jobs are made, as cron writes it.',
    Timezone: 'The time zone of the schedule.',
    Suspend: 'Whether no jobs are made for now.',
    Active: 'How many of its jobs run.',
    'Last Schedule': 'How long ago a job was last due.',
  },
  Ingress: {
    Class: 'The class of controllers that serve it.',
    Hosts: 'The hosts of its rules.',
    Address: 'Where the controller serves it.',
    Ports: 'The ports at which it is served.',
  },
  IngressClass: { Parameters: 'The object with parameters for the controller.' },
  NetworkPolicy: { 'Pod-Selector': 'The pods to which it applies.' },
  PersistentVolume: {
    'Reclaim Policy': 'What becomes of the volume when its claim is gone.',
    Claim: 'The claim that it is bound to.',
  },
  PersistentVolumeClaim: { Volume: 'The volume that it is bound to.' },
  StorageClass: {
    Provisioner: 'Who provides volumes of this class.',
    ReclaimPolicy: 'What becomes of volumes when their claims are gone.',
    VolumeBindingMode: 'When volumes are provided and bound.',
    AllowVolumeExpansion: 'Whether volumes can be made larger.',
  },
  VolumeAttachment: {
    Attacher: 'The driver that attaches.',
    PV: 'The volume.',
    Attached: 'Whether it is attached.',
  },
  VolumeAttributesClass: { DriverName: 'The driver that knows the attributes.' },
  CSINode: { Drivers: 'How many drivers there are on the node.' },
  CSIDriver: {
    AttachRequired: 'Whether volumes must be attached before they are mounted.',
    PodInfoOnMount: 'Whether the driver is told of the pod.',
    StorageCapacity: 'Whether the scheduler looks at the capacity that the driver tells.',
    TokenRequests: 'Audiences of the tokens that the driver is given.',
    RequiresRepublish: 'Whether volumes are published again and again.',
    Modes: 'For which lives of volumes it is made.',
  },
  CSIStorageCapacity: { StorageClassName: 'The class of which the capacity is told.' },
  HorizontalPodAutoscaler: {
    Reference: 'What is scaled.',
    Targets: 'The measured values beside those that are wanted.',
    MinPods: 'Fewest pods.',
    MaxPods: 'Most pods.',
    Replicas: 'How many pods there are.',
  },
  PodDisruptionBudget: {
    'Min Available': 'Fewest pods that must stay.',
    'Max Unavailable': 'Most pods that may be away.',
    'Allowed Disruptions': 'How many pods may be evicted now.',
  },
  CertificateSigningRequest: {
    Requestor: 'Who asks.',
    RequestedDuration: 'For how long the certificate is to be good.',
    Condition: 'Whether it is approved, denied, failed or issued.',
  },
  PodCertificateRequest: {
    PodName: 'The pod that the certificate is for.',
    ServiceAccountName: 'The account of the pod.',
    NodeName: 'The node of the pod.',
  },
  FlowSchema: {
    PriorityLevel: 'The level of requests that match.',
    MatchingPrecedence: 'Schemas of lower numbers are tried first.',
    DistinguisherMethod: 'What makes two flows of it.',
    MissingPL: 'Whether the level does not exist.',
  },
  PriorityLevelConfiguration: {
    Type: 'Whether requests of the level are limited.',
    NominalConcurrencyShares: 'Its share of the requests that are served at once.',
    Queues: 'How many queues it has.',
    HandSize: 'Queues among which one is chosen for a request.',
    QueueLengthLimit: 'Most requests that may wait in a queue.',
  },
  PriorityClass: {
    Value: 'The priority of pods of this class.',
    'Global-Default': 'Whether pods that name no class have this one.',
    PreemptionPolicy: 'Whether its pods may drive out others.',
  },
  ResourceQuota: {
    Request: 'Requests and counts: what is used, of how much.',
    Limit: 'Limits: what is used, of how much.',
  },
  Lease: { Holder: 'Who holds it.' },
  LeaseCandidate: {
    LeaseName: 'The lease that it stands for.',
    BinaryVersion: 'The version of its program.',
    EmulationVersion: 'The version as which its program behaves.',
  },
  ControllerRevision: { Revision: 'The number of the revision.' },
  RuntimeClass: { Handler: 'The configuration of the container runtime that its pods are run by.' },
  ComponentStatus: { Error: 'What went wrong when it was asked.' },
  EndpointSlice: { AddressType: 'Of which family the addresses are.' },
  ServiceCIDR: { CIDRs: 'The ranges from which services get addresses.' },
  IPAddress: { ParentRef: 'The object that has the address.' },
  ResourceSlice: { Pool: 'The pool that it belongs to.' },
  StorageVersionMigration: { Resource: 'The resource whose objects are written again.' },
  ValidatingAdmissionPolicy: { Validations: 'How many rules it has.' },
  MutatingAdmissionPolicy: { Mutations: 'How many changes it makes.' },
  APIService: {
    Service: 'Where the group version is served.',
    Available: 'Whether it is served now.',
  },
  Scale: { Available: 'How many pods there are.' },
};

/** What a column of a built-in kind says; '' = nothing is known of it. */
export const columnDescription = ({ kind }: Pick<KindDescriptor, 'kind'>, name: string): string =>
  OF_KIND[kind]?.[name] ?? COMMON[name] ?? '';
