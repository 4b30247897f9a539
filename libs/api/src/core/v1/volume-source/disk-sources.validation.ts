import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, notSupported, required } from '@orrery/apimachinery';
import { given, when } from '../../../meta/findings.js';
import { present, supported } from '../../../meta/fields.js';
import { entries, list, own } from '../../../meta/list.js';
import { check, dnsLabel } from '../../../meta/names.js';

type Fields = Readonly<Record<string, unknown>>;
type Check = (source: Fields, path: FieldPath) => FieldError[];

interface Rule {
  /** How upstream names the source in paths, where that is not its field's name. */
  readonly as?: string;
  readonly required?: readonly string[];
  readonly also?: Check;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const amount = (value: unknown): number => (typeof value === 'number' ? value : 0);

const partition: Check = (source, path) =>
  when(
    amount(source['partition']) < 0 || amount(source['partition']) > 255,
    invalid(path.child('partition'), source['partition'], 'must be between 1 and 255, inclusive'),
  );

const QUALIFIED_NAMES = [
  { prefix: 'iqn', form: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/ },
  { prefix: 'eui', form: /^eui.[A-Za-z0-9]{16}$/ },
  { prefix: 'naa', form: /^naa.[A-Za-z0-9]{32}$/ },
];

const BAD_FORM = 'must be valid format';

function qualifiedTarget(name: string, path: FieldPath, unknown: string): FieldError[] {
  const rule = QUALIFIED_NAMES.find(({ prefix }) => name.startsWith(prefix));
  if (!rule) return [invalid(path, name, unknown)];
  return when(!rule.form.test(name), invalid(path, name, BAD_FORM));
}

/** The initiator and the portal together name a folder of the node's. */
const MAX_PORTAL = 64;
const LONG_PORTAL =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

/** Of a pod upstream finds fault with the volume's name, of a persistent volume with the portal. */
export function longPortal(
  source: object,
  name: string,
  at: FieldPath,
  isNamed: boolean,
): FieldError[] {
  const { initiatorName, targetPortal } = source as Fields;
  const isLong = `${name}:${text(targetPortal)}`.length > MAX_PORTAL;
  return when(
    typeof initiatorName === 'string' && isLong,
    invalid(at, isNamed ? name : targetPortal, LONG_PORTAL),
  );
}

const iscsiNames =
  (unknown: string, secret: Check): Check =>
  (source, path) => {
    const lun = amount(source['lun']);
    const needsSecret = source['chapAuthDiscovery'] === true || source['chapAuthSession'] === true;
    return [
      ...(text(source['iqn'])
        ? qualifiedTarget(text(source['iqn']), path.child('iqn'), unknown)
        : [required(path.child('iqn'))]),
      ...when(
        lun < 0 || lun > 255,
        invalid(path.child('lun'), lun, 'must be between 0 and 255, inclusive'),
      ),
      ...when(needsSecret && !source['secretRef'], required(path.child('secretRef'))),
      ...secret(source, path),
      ...given(source['initiatorName'], (name) =>
        qualifiedTarget(text(name), path.child('initiatorname'), unknown),
      ),
    ];
  };

const fibreChannel: Check = (source, path) => {
  const wwns = list(source['targetWWNs'] as readonly unknown[]);
  const wwids = list(source['wwids'] as readonly unknown[]);
  const at = path.child('targetWWNs');
  const lun = source['lun'];
  return [
    ...when(
      wwns.length + wwids.length === 0,
      required(at, 'must specify either targetWWNs or wwids, but not both'),
    ),
    ...when(
      wwns.length > 0 && wwids.length > 0,
      invalid(at, wwns, 'targetWWNs and wwids can not be specified simultaneously'),
    ),
    ...when(
      wwns.length > 0 && typeof lun !== 'number',
      required(path.child('lun'), 'lun is required if targetWWNs is specified'),
    ),
    ...when(
      wwns.length > 0 && (amount(lun) < 0 || amount(lun) > 255),
      invalid(path.child('lun'), lun, 'must be between 0 and 255, inclusive'),
    ),
  ];
};

const flocker: Check = ({ datasetName, datasetUUID }, path) => [
  ...when(
    !datasetName && !datasetUUID,
    required(path, 'one of datasetName and datasetUUID is required'),
  ),
  ...when(
    Boolean(datasetName) && Boolean(datasetUUID),
    invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'),
  ),
  ...when(
    text(datasetName).includes('/'),
    invalid(path.child('datasetName'), datasetName, "must not contain '/'"),
  ),
];

const flexVolume: Check = ({ options }, path) =>
  entries(options as Readonly<Record<string, string>> | undefined)
    .filter(([key]) => {
      const domain = `.${(key.includes('/') ? key.slice(0, key.indexOf('/')) : key).toLowerCase()}`;
      return domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io');
    })
    .map(([key]) =>
      invalid(
        path.child('options').key(key),
        key,
        'kubernetes.io and k8s.io namespaces are reserved',
      ),
    );

const HOST_PORTS = 'must be a host:port pair or multiple pairs separated by commas';

const quobyte: Check = ({ registry, tenant }, path) => {
  if (!text(registry)) return [required(path.child('registry'), HOST_PORTS)];
  if (text(tenant).length >= 65) {
    const detail = 'must be a UUID and may not exceed a length of 64 characters';
    return [required(path.child('tenant'), detail)];
  }
  return text(registry)
    .split(',')
    .filter((pair) => !/^(\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(pair))
    .map(() => invalid(path.child('registry'), registry, HOST_PORTS));
};

const MANAGED_DISK =
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const BLOB_DISK = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

const azureDisk: Check = ({ cachingMode, kind, diskURI }, path) => {
  const isManaged = kind === 'Managed';
  const prefix = isManaged ? '/subscriptions/' : 'https://';
  const isWrong = typeof kind === 'string' && !text(diskURI).startsWith(prefix);
  return [
    ...supported(
      cachingMode as string | undefined,
      ['None', 'ReadOnly', 'ReadWrite'],
      path.child('cachingMode'),
    ),
    ...supported(
      kind as string | undefined,
      ['Dedicated', 'Managed', 'Shared'],
      path.child('kind'),
    ),
    ...when(
      isWrong,
      notSupported(path.child('diskURI'), diskURI ?? '', [isManaged ? MANAGED_DISK : BLOB_DISK]),
    ),
  ];
};

const storageOs: Check = ({ volumeName, volumeNamespace, secretRef }, path) => [
  ...(text(volumeName)
    ? check(dnsLabel, text(volumeName), path.child('volumeName'))
    : [required(path.child('volumeName'))]),
  ...(text(volumeNamespace)
    ? check(dnsLabel, text(volumeNamespace), path.child('volumeNamespace'))
    : []),
  ...secretName(secretRef, path),
];

const secretName = (ref: unknown, path: FieldPath): FieldError[] =>
  given(ref as { readonly name?: string } | undefined, ({ name }) =>
    present(name, path.child('secretRef', 'name')),
  );

/** Disks and file systems that pods and persistent volumes mount by the same rules. */
const RULES: Readonly<Record<string, Rule>> = {
  gcePersistentDisk: { as: 'persistentDisk', required: ['pdName'], also: partition },
  awsElasticBlockStore: { required: ['volumeID'], also: partition },
  nfs: {
    required: ['server', 'path'],
    also: ({ path: target }, path) =>
      when(
        !text(target).startsWith('/'),
        invalid(path.child('path'), text(target), 'must be an absolute path'),
      ),
  },
  iscsi: {
    required: ['targetPortal'],
    also: iscsiNames(`${BAD_FORM} starting with iqn, eui, or naa`, () => []),
  },
  glusterfs: { required: ['endpoints', 'path'] },
  flocker: { also: flocker },
  rbd: { required: ['monitors', 'image'] },
  cinder: {
    required: ['volumeID'],
    also: ({ secretRef }, path) => secretName(secretRef, path),
  },
  cephfs: { required: ['monitors'] },
  quobyte: {
    also: (source, path) => [
      ...quobyte(source, path),
      ...present(source['volume'], path.child('volume')),
    ],
  },
  fc: { also: fibreChannel },
  flexVolume: { required: ['driver'], also: flexVolume },
  azureFile: { required: ['secretName', 'shareName'] },
  vsphereVolume: { required: ['volumePath'] },
  photonPersistentDisk: { required: ['pdID'] },
  portworxVolume: { required: ['volumeID'] },
  azureDisk: { required: ['diskName', 'diskURI'], also: azureDisk },
  storageos: { also: storageOs },
  scaleIO: { required: ['gateway', 'system', 'volumeName'] },
};

const namespaced = (ref: unknown, path: FieldPath): FieldError[] =>
  given(ref as { readonly namespace?: string } | undefined, ({ namespace }) =>
    present(namespace, path.child('secretRef', 'namespace')),
  );

/** A volume of the cluster has no namespace of its own, so that what it refers to names one. */
const OF_CLUSTER: Readonly<Record<string, Check>> = {
  glusterfs: ({ endpointsNamespace: name }, path) => {
    const at = path.child('endpointsNamespace');
    const unset = 'if the endpointnamespace is set, it must be a valid namespace name';
    return given(name, () =>
      text(name) ? check(dnsLabel, text(name), at) : [invalid(at, '', unset)],
    );
  },
  cinder: ({ secretRef }, path) => namespaced(secretRef, path),
  storageos: ({ secretRef }, path) => namespaced(secretRef, path),
  azureFile: ({ secretNamespace }, path) =>
    given(secretNamespace, (name) => present(name, path.child('secretNamespace'))),
};

const CLUSTER_ISCSI: Rule = {
  required: ['targetPortal'],
  also: iscsiNames(BAD_FORM, ({ secretRef }, path) => secretName(secretRef, path)),
};

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (Array.isArray(value) && value.length === 0);

/** Findings of one such source; none for those that are not in the table. */
export function validateDiskSource(field: string, source: object, path: FieldPath): FieldError[] {
  const rule = own(RULES, field);
  return rule ? checkRule(rule, field, source as Fields, path) : [];
}

function checkRule(rule: Rule, field: string, fields: Fields, path: FieldPath): FieldError[] {
  const at = path.child(rule.as ?? field);
  return [
    ...(rule.required ?? [])
      .filter((name) => isEmpty(fields[name]))
      .map((name) => required(at.child(name))),
    ...(rule.also?.(fields, at) ?? []),
  ];
}

/** The same of a persistent volume. */
export function validateClusterDisk(field: string, source: object, path: FieldPath): FieldError[] {
  if (field === 'iscsi') return checkRule(CLUSTER_ISCSI, field, source as Fields, path);
  return [
    ...validateDiskSource(field, source, path),
    ...(own(OF_CLUSTER, field)?.(source as Fields, path.child(field)) ?? []),
  ];
}

export const isDiskSource = (field: string): boolean => Object.hasOwn(RULES, field);
