import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import {
  FieldPath,
  duplicate,
  forbidden,
  invalid,
  isUnixId,
  notSupported,
  required,
  tooLong,
} from '@orrery/apimachinery';
import type {
  Container,
  ContainerStatus,
  LinuxContainerUser,
  PodSpec,
  PodStatus,
  ResourceStatus,
} from '../../../types.js';
import { duplicates, given, when } from '../../../meta/findings.js';
import { eachOf, list, own } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';

const STATUS = FieldPath.of('status');
const HEALTH = ['Healthy', 'Unhealthy', 'Unknown'];
const MAX_MESSAGE = 1024;
const FIELDS = [
  'containerStatuses',
  'initContainerStatuses',
  'ephemeralContainerStatuses',
] as const;

const validateId = (id: number | undefined, path: Path): FieldError[] =>
  isUnixId(id ?? 0).map((message) => invalid(path, id ?? 0, message));

const validateLinuxUser = (user: LinuxContainerUser, path: Path): FieldError[] => [
  ...validateId(user.uid, path.child('uid')),
  ...validateId(user.gid, path.child('gid')),
  ...eachOf(user.supplementalGroups, (id, i) =>
    validateId(id, path.child('supplementalGroups').index(i)),
  ),
];

function validateUser({ user }: ContainerStatus, spec: PodSpec, at: Path): FieldError[] {
  const path = at.child('user', 'linux');
  const system = spec.os?.name ?? 'linux';
  return given(user?.linux, (linux) => {
    if (system === 'windows') return [forbidden(path, 'cannot be set for a windows pod')];
    return system === 'linux' ? validateLinuxUser(linux, path) : [];
  });
}

const CLAIM = 'claim:';
const NO_CLAIM =
  "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
const NO_REQUEST = "must match one of the container's resource requests";

function validateOwner(name: string, container: Container | undefined, path: Path): FieldError[] {
  if (!container) return [];
  if (!name.startsWith(CLAIM)) {
    const asked = own(container.resources?.requests, name);
    return when(asked === undefined, invalid(path, name, NO_REQUEST));
  }
  const claims = list(container.resources?.claims).map((claim) =>
    claim.request ? `${CLAIM}${claim.name}/${claim.request}` : `${CLAIM}${claim.name}`,
  );
  return when(!claims.includes(name), invalid(path, name, NO_CLAIM));
}

function validateHealth({ resources }: ResourceStatus, at: Path): FieldError[] {
  const path = (i: number): Path => at.child('resources').index(i);
  return [
    ...eachOf(resources, ({ health = '', message }, i) => [
      ...when(!HEALTH.includes(health), notSupported(path(i).child('health'), health, HEALTH)),
      ...given(message, (text) => [
        ...when(text === '', required(path(i).child('message'), 'must be non-empty if specified')),
        ...when(text.length > MAX_MESSAGE, tooLong(path(i).child('message'), MAX_MESSAGE)),
      ]),
    ]),
    ...duplicates(
      resources,
      ({ resourceID }) => resourceID,
      (i) => path(i).child('resourceID'),
    ),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:validateContainerStatusAllocatedResourcesStatus. */
function validateDevices(
  status: ContainerStatus,
  containers: readonly Container[],
  at: Path,
): FieldError[] {
  const container = containers.find(({ name }) => name === status.name);
  return eachOf(status.allocatedResourcesStatus, (resource, i) => {
    const path = at.child('allocatedResourcesStatus').index(i);
    return [
      ...validateOwner(resource.name, container, path.child('name')),
      ...validateHealth(resource, path),
    ];
  });
}

/** Whom containers run as, and how the devices are that they have been given. */
export function validateContainerReports(status: PodStatus, spec: PodSpec): FieldError[] {
  const refused = 'must not be specified in container status';
  return [
    ...FIELDS.flatMap((field) =>
      eachOf(status[field], (each, i) => validateUser(each, spec, STATUS.child(field).index(i))),
    ),
    ...(
      [
        ['containerStatuses', spec.containers],
        ['initContainerStatuses', spec.initContainers],
      ] as const
    ).flatMap(([field, containers]) =>
      eachOf(status[field], (each, i) =>
        validateDevices(each, list(containers), STATUS.child(field).index(i)),
      ),
    ),
    ...eachOf(status.ephemeralContainerStatuses, ({ allocatedResourcesStatus }, i) =>
      when(
        list(allocatedResourcesStatus).length > 0,
        forbidden(
          STATUS.child('ephemeralContainerStatuses').index(i).child('allocatedResourcesStatus'),
          refused,
        ),
      ),
    ),
  ];
}

const NO_RESOURCE =
  'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests';
const NO_CONTAINER =
  'must match the name of an entry in spec.initContainers.name or spec.containers.name';

/** The claim that stands for a pod's extended resources (validatePodExtendedResourceClaimStatus). */
export function validateExtendedClaim(status: PodStatus, spec: PodSpec): FieldError[] {
  const path = STATUS.child('extendedResourceClaimStatus');
  const mappings = path.child('requestMappings');
  const containers = [...list(spec.initContainers), ...list(spec.containers)];
  return given(status.extendedResourceClaimStatus, ({ requestMappings, resourceClaimName }) => [
    ...when(
      list(requestMappings).length === 0,
      required(mappings, 'at least one request mapping is required'),
    ),
    ...eachOf(requestMappings, ({ containerName, resourceName, requestName }, i) => {
      const at = mappings.index(i);
      const container = containers.findLast(({ name }) => name === containerName);
      const isRepeated = list(requestMappings)
        .slice(0, i)
        .some(
          (other) =>
            other.containerName === containerName &&
            other.resourceName === resourceName &&
            other.requestName === requestName,
        );
      const asked = container ? own(container.resources?.requests, resourceName) : '';
      return [
        ...when(asked === undefined, invalid(at.child('resourceName'), resourceName, NO_RESOURCE)),
        ...when(!container, invalid(at.child('containerName'), containerName, NO_CONTAINER)),
        ...check(dnsLabel, requestName, path.child('requestName')),
        ...when(isRepeated, duplicate(at.child('containerName'), containerName)),
        ...when(isRepeated, duplicate(at.child('resourceName'), resourceName)),
        ...when(isRepeated, duplicate(at.child('requestName'), requestName)),
      ];
    }),
    ...(resourceClaimName
      ? check(dnsSubdomain, resourceClaimName, path.child('resourceClaimName'))
      : [required(path.child('resourceClaimName'))]),
  ]);
}
