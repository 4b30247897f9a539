import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, tooLong, tooMany } from '@orrery/apimachinery';
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  NetworkDeviceData,
  ResourceClaim,
} from '../../../gen/types/resource.v1.js';
import { oneOf, present } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { isDeepEqual, list } from '../../../meta/list.js';
import { FIELD_IMMUTABLE } from '../../../meta/object-meta.js';
import { validateNodeSelector } from '../../../core/v1/pod-spec/scheduling.validation.js';
import { validateBindings } from '../device/binding-conditions.validation.js';
import { validateConfiguration } from '../device/device-config.validation.js';
import {
  validateBounded,
  validateDeviceName,
  validateDriverName,
  validateObjectValue,
  validatePoolName,
} from '../device/device-names.js';
import {
  requestNamesOf,
  validateRequestRef,
  validateRequestRefs,
} from './device-claim.validation.js';

const STATUS = FieldPath.of('status');
const MAX_RESERVED = 256;
const MAX_RESULTS = 32;
const MAX_CONFIG = 64;
const MAX_CONDITIONS = 8;
const MAX_DATA = 10 * 1024;

interface DeviceRef {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  readonly shareID?: string;
}

/** As upstream prints it (structured.SharedDeviceID.String). */
const idOf = ({ driver, pool, device, shareID }: DeviceRef): string =>
  `${driver}/${pool}/${device}${shareID ? `/${shareID}` : ''}`;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const validateShare = (shareID: string | undefined, path: Path): FieldError[] =>
  given(shareID, (uid) =>
    when(
      !UUID.test(uid),
      invalid(
        path.child('shareID'),
        uid,
        'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters',
      ),
    ),
  );

const validateRef = (ref: DeviceRef, path: Path): FieldError[] => [
  ...validateDriverName(ref.driver, path.child('driver')),
  ...validatePoolName(ref.pool, path.child('pool')),
  ...validateDeviceName(ref.device, path.child('device')),
];

function validateAllocation(
  allocation: AllocationResult,
  known: ReadonlySet<string>,
  path: Path,
): FieldError[] {
  const at = path.child('devices');
  const { results, config } = allocation.devices ?? {};
  return [
    ...validateBounded(results, at.child('results'), { max: MAX_RESULTS }, (each, here) => [
      ...validateRequestRef(each.request, known, here.child('request')),
      ...validateRef(each, here),
      ...validateBindings(each, here),
      ...validateShare(each.shareID, here),
    ]),
    ...validateBounded(config, at.child('config'), { max: MAX_CONFIG }, (each, here) => [
      ...oneOf(each.source, ['FromClaim', 'FromClass'], here.child('source')),
      ...validateRequestRefs(each.requests, known, here.child('requests')),
      ...validateConfiguration(each, here),
    ]),
    ...validateNodeSelector(allocation.nodeSelector, path.child('nodeSelector')),
  ];
}

const validateNetwork = (data: NetworkDeviceData, path: Path): FieldError[] => [
  ...when(String(data.interfaceName ?? '').length > 256, tooLong(path.child('interfaceName'), 256)),
  ...when(
    String(data.hardwareAddress ?? '').length > 128,
    tooLong(path.child('hardwareAddress'), 128),
  ),
  ...validateBounded(data.ips, path.child('ips'), { max: 16, keyOf: String }, (ip, at) =>
    when(
      !/^[0-9a-fA-F.:]+\/\d+$/.test(String(ip)),
      invalid(at, ip, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'),
    ),
  ),
];

function validateDeviceStatus(
  device: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
  path: Path,
): FieldError[] {
  const conditions = list(device.conditions).length;
  return [
    ...validateRef(device, path),
    ...validateShare(device.shareID, path),
    ...when(
      !allocated.has(idOf(device)),
      invalid(path, idOf(device), 'must be an allocated device in the claim'),
    ),
    ...when(
      conditions > MAX_CONDITIONS,
      tooMany(path.child('conditions'), conditions, MAX_CONDITIONS),
    ),
    ...given(device.data, (data) => validateObjectValue(data, path.child('data'), MAX_DATA)),
    ...given(device.networkData, (data) => validateNetwork(data, path.child('networkData'))),
  ];
}

function validateReservations(claim: ResourceClaim, old: ResourceClaim): FieldError[] {
  const path = STATUS.child('reservedFor');
  const reserved = list(claim.status?.reservedFor);
  const before = new Set(list(old.status?.reservedFor).map(({ uid }) => uid));
  const findings = validateBounded(
    claim.status?.reservedFor,
    path,
    { max: MAX_RESERVED, keyOf: ({ uid }) => uid },
    (each, at) => [
      ...present(each.resource, at.child('resource')),
      ...present(each.name, at.child('name')),
      ...present(each.uid, at.child('uid')),
    ],
  );
  if (reserved.length > 0 && !claim.status?.allocation) {
    findings.push(forbidden(path, 'may not be specified when `allocated` is not set'));
  } else if (claim.metadata.deletionTimestamp && reserved.some(({ uid }) => !before.has(uid))) {
    const text =
      'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
    findings.push(forbidden(path, text));
  }
  return findings;
}

/** k8s pkg/apis/resource/validation/validation.go:ValidateResourceClaimStatusUpdate. */
export function validateClaimStatus(claim: ResourceClaim, old: ResourceClaim): FieldError[] {
  const allocation = claim.status?.allocation;
  const before = old.status?.allocation;
  const path = STATUS.child('allocation');
  const allocated = new Set(list(allocation?.devices?.results).map(idOf));
  const isChanged = Boolean(allocation && before) && !isDeepEqual(allocation, before);
  return [
    ...validateReservations(claim, old),
    ...validateBounded(
      claim.status?.devices,
      STATUS.child('devices'),
      { max: Number.POSITIVE_INFINITY, keyOf: idOf },
      (device, at) => validateDeviceStatus(device, allocated, at),
    ),
    ...(isChanged
      ? [
          invalid(
            path,
            allocation ? internalForm(allocation, 'resource/v1.AllocationResult') : null,
            FIELD_IMMUTABLE,
          ),
        ]
      : []),
    ...(allocation && !before
      ? validateAllocation(allocation, requestNamesOf(claim.spec?.devices), path)
      : []),
  ];
}
