import type { FieldError } from '@orrery/apimachinery';
import {
  FieldPath,
  invalid,
  isDns1035Label,
  isDns1123Subdomain,
  isPortNumber,
  notSupported,
  required,
} from '@orrery/apimachinery';
import { list } from '../../../meta/list.js';
import type { APIService, APIServiceReference } from './apiservice.types.js';

const SPEC = FieldPath.of('spec');

/** Decoding lets null through. */
const textOf = (value: string | null | undefined): string => value ?? '';

function bounded(value: number | null | undefined, most: number, name: string): FieldError[] {
  return value !== undefined && value !== null && value > 0 && value <= most
    ? []
    : [invalid(SPEC.child(name), value ?? 0, `must be positive and less than ${most}`)];
}

function validateGroupVersion(group: string, version: string): FieldError[] {
  const groupPath = SPEC.child('group');
  return [
    ...(group === '' && version !== 'v1'
      ? [required(groupPath, 'only v1 may have an empty group and it better be legacy kube')]
      : []),
    ...(group === '' ? [] : isDns1123Subdomain(group).map((why) => invalid(groupPath, group, why))),
    ...isDns1035Label(version).map((why) => invalid(SPEC.child('version'), version, why)),
  ];
}

function validateService(service: APIServiceReference): FieldError[] {
  const path = SPEC.child('service');
  const problems = isPortNumber(service.port ?? 0);
  return [
    ...(service.namespace ? [] : [required(path.child('namespace'))]),
    ...(service.name ? [] : [required(path.child('name'))]),
    ...(problems.length > 0
      ? [
          invalid(
            path.child('port'),
            service.port ?? 0,
            `port is not valid: ${problems.join(', ')}`,
          ),
        ]
      : []),
  ];
}

/** k8s kube-aggregator pkg/apis/apiregistration/validation/validation.go:ValidateAPIService. */
export function validateApiService({ metadata, spec }: APIService): FieldError[] {
  const { service, insecureSkipTLSVerify } = spec ?? {};
  const group = textOf(spec?.group);
  const version = textOf(spec?.version);
  const caBundle = textOf(spec?.caBundle);
  const name = `${version}.${group}`;
  const errors = [
    ...(metadata.name === name
      ? []
      : [
          invalid(
            FieldPath.of('metadata', 'name'),
            metadata.name ?? '',
            `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`,
          ),
        ]),
    ...validateGroupVersion(group, version),
    ...bounded(spec?.groupPriorityMinimum, 20_000, 'groupPriorityMinimum'),
    ...bounded(spec?.versionPriority, 1000, 'versionPriority'),
  ];
  const insecure = SPEC.child('insecureSkipTLSVerify');
  if (service) {
    errors.push(...validateService(service));
    if (insecureSkipTLSVerify && caBundle !== '')
      errors.push(invalid(insecure, true, 'may not be true if caBundle is present'));
    return errors;
  }
  if (caBundle !== '') {
    const size = `${Buffer.from(caBundle, 'base64').length} bytes`;
    errors.push(invalid(SPEC.child('caBundle'), size, 'local APIServices may not have a caBundle'));
  }
  if (insecureSkipTLSVerify)
    errors.push(invalid(insecure, true, 'local APIServices may not have insecureSkipTLSVerify'));
  return errors;
}

/** …:ValidateAPIServiceStatus. */
export const validateApiServiceStatus = ({ status }: APIService): FieldError[] =>
  list(status?.conditions).flatMap((condition, i) =>
    ['True', 'False', 'Unknown'].includes(condition.status)
      ? []
      : [
          notSupported(
            FieldPath.of('status', 'conditions').index(i).child('status'),
            condition.status,
            ['True', 'False', 'Unknown'],
            'as given',
          ),
        ],
  );
