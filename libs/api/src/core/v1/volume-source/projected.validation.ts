import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  ClusterTrustBundleProjection,
  KeyToPath,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../../../types.js';
import { present } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { validateDownwardFile } from './downward-api.validation.js';
import { fileMode, localPath } from './file-path.js';

const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;
const MIN_CERTIFICATE_SECONDS = 3600;
const MAX_CERTIFICATE_SECONDS = 91 * 86_400;
const MAX_KUBERNETES_SECONDS = 86_400;
const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519'];

/** `key` of a Secret or ConfigMap as the file `path`. */
export const validateKeyToPath = (item: KeyToPath, path: FieldPath): FieldError[] => [
  ...present(item.key, path.child('key')),
  ...present(item.path, path.child('path')),
  ...localPath(String(item.path ?? ''), path.child('path')),
  ...fileMode(item.mode, path.child('mode')),
];

/** Finds out which files two sources of one volume would both write. */
class TakenPaths {
  private readonly taken = new Set<string>();

  constructor(private readonly path: FieldPath) {}

  take(file: string | undefined, shown: string | undefined = file): FieldError[] {
    if (!file) return [];
    const found = when(
      this.taken.has(file),
      invalid(this.path, shown ?? '', 'conflicting duplicate paths'),
    );
    this.taken.add(file);
    return found;
  }
}

function validateKeys(
  source: { readonly name?: string; readonly items?: readonly KeyToPath[] },
  taken: TakenPaths,
  path: FieldPath,
): FieldError[] {
  return [
    ...present(source.name, path.child('name')),
    ...eachOf(source.items, (item, i) => [
      ...validateKeyToPath(item, path.child('items').index(i)),
      ...taken.take(item.path, source.name),
    ]),
  ];
}

function validateToken(
  token: ServiceAccountTokenProjection,
  path: FieldPath,
  volume: FieldPath,
): FieldError[] {
  const seconds = token.expirationSeconds ?? 0;
  const at = path.child('expirationSeconds');
  return [
    ...when(
      seconds < MIN_TOKEN_SECONDS,
      invalid(at, seconds, 'may not specify a duration less than 10 minutes'),
    ),
    ...when(
      seconds > MAX_TOKEN_SECONDS,
      invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'),
    ),
    ...(token.path
      ? localPath(token.path, volume.child('path'))
      : [required(volume.child('path'))]),
  ];
}

export function validateSignerName(name: string, path: FieldPath): FieldError[] {
  if (name === '') return [required(path)];
  const [domain = '', id, ...rest] = name.split('/');
  if (id === undefined || rest.length > 0) {
    return [
      invalid(
        path,
        name,
        'must be a fully qualified domain and path of the form "example.com/signer-name"',
      ),
    ];
  }
  return [
    ...check(dnsSubdomain, domain, path),
    ...when(
      domain.split('.').length < 2,
      invalid(path, domain, 'should be a domain with at least two segments separated by dots'),
    ),
    ...check(dnsSubdomain, id, path),
  ];
}

function validateTrustBundle(
  bundle: ClusterTrustBundleProjection,
  taken: TakenPaths,
  path: FieldPath,
): FieldError[] {
  const { name, signerName, labelSelector } = bundle;
  const target = String(bundle.path ?? '');
  const findings: FieldError[] = [];
  if (name !== undefined && signerName !== undefined) {
    const shown = internalForm(bundle, 'core/v1.ClusterTrustBundleProjection');
    findings.push(invalid(path, shown, 'only one of name and signerName may be used'));
  } else if (name !== undefined) {
    findings.push(...present(name, path.child('name'), 'must be a valid object name'));
    const text = 'labelSelector must be unset if name is specified';
    if (labelSelector) findings.push(invalid(path.child('labelSelector'), labelSelector, text));
  } else if (signerName === undefined) {
    findings.push(required(path, 'either name or signerName must be specified'));
  } else {
    const at = path.child('signerName');
    findings.push(...present(signerName, at, 'must be a valid signer name'));
    findings.push(...validateSignerName(String(signerName), at));
    findings.push(...validateLabelSelector(labelSelector, path.child('labelSelector')));
  }
  findings.push(...present(target, path.child('path')), ...localPath(target, path.child('path')));
  return [...findings, ...taken.take(target)];
}

function validateCertificate(
  source: PodCertificateProjection,
  taken: TakenPaths,
  path: FieldPath,
): FieldError[] {
  const signer = String(source.signerName ?? '');
  const isKubernetes = /^([^/]*\.)?kubernetes\.io\//.test(signer);
  const max = isKubernetes ? MAX_KUBERNETES_SECONDS : MAX_CERTIFICATE_SECONDS;
  const seconds = path.child('maxExpirationSeconds');
  const files = (['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const).filter(
    (field) => source[field],
  );
  return [
    ...validateSignerName(signer, path.child('signerName')),
    ...when(
      !KEY_TYPES.includes(source.keyType),
      notSupported(path.child('keyType'), source.keyType ?? '', KEY_TYPES),
    ),
    ...given(source.maxExpirationSeconds, (value) => [
      ...when(
        value < MIN_CERTIFICATE_SECONDS,
        invalid(seconds, value, 'if provided, maxExpirationSeconds must be >= 3600'),
      ),
      ...when(
        value > max,
        invalid(seconds, value, `if provided, maxExpirationSeconds must be <= ${max}`),
      ),
    ]),
    ...files.flatMap((field) => [
      ...localPath(String(source[field]), path.child(field)),
      ...taken.take(source[field]),
    ]),
    ...when(
      files.length === 0,
      required(
        path,
        'specify at least one of credentialBundlePath, keyPath, and certificateChainPath',
      ),
    ),
  ];
}

function validateProjection(
  source: VolumeProjection,
  taken: TakenPaths,
  at: FieldPath,
  volume: FieldPath,
): FieldError[] {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  const sources = Object.values(source).filter((value) => value !== undefined && value !== null);
  return [
    ...given(secret, (each) => validateKeys(each, taken, at.child('secret'))),
    ...given(configMap, (each) => validateKeys(each, taken, at.child('configMap'))),
    ...given(downwardAPI, ({ items }) =>
      eachOf(items, (file) => [
        ...validateDownwardFile(file, at.child('downwardAPI')),
        ...taken.take(file.path),
      ]),
    ),
    ...given(serviceAccountToken, (token) =>
      validateToken(token, at.child('serviceAccountToken'), volume),
    ),
    ...given(source.clusterTrustBundle, (each) =>
      validateTrustBundle(each, taken, at.child('clusterTrustBundle')),
    ),
    ...given(source.podCertificate, (each) =>
      validateCertificate(each, taken, at.child('podCertificate')),
    ),
    ...when(
      sources.length > 1,
      forbidden(at, 'may not specify more than 1 volume type per source'),
    ),
  ];
}

/** k8s pkg/apis/core/validation/validation.go:validateProjectedVolumeSource. */
export function validateProjected(source: ProjectedVolumeSource, path: FieldPath): FieldError[] {
  const taken = new TakenPaths(path);
  return [
    ...fileMode(source.defaultMode, path.child('defaultMode')),
    ...list(source.sources).flatMap((each, i) =>
      validateProjection(each, taken, path.child('sources').index(i), path),
    ),
  ];
}
