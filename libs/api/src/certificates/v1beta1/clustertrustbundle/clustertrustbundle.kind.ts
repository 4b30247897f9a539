import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, byteLength, invalid, tooLong } from '@orrery/apimachinery';
import { X509Certificate } from 'node:crypto';
import type { ClusterTrustBundle } from '../../../gen/types/certificates.v1beta1.js';
import { defineKind } from '../../../kind.js';
import { check, dnsSubdomain, signerName } from '../../../meta/names.js';
import type { PemBlock } from '../../../meta/pem.js';
import { pemBlocks } from '../../../meta/pem.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';

const NAME = FieldPath.of('metadata', 'name');
const SPEC = FieldPath.of('spec');
const BUNDLE = SPEC.child('trustBundle');

/** The name starts with the signer's, its slash written as a colon; without signer it has no colon. */
function validateName(name: string, signer: string): FieldError[] {
  if (signer === '') {
    if (!name.includes(':')) return check(dnsSubdomain, name, NAME);
    const text = 'ClusterTrustBundle without signer name must not have ":" in its name';
    return [invalid(NAME, name, text)];
  }
  const prefix = `${signer.replaceAll('/', ':')}:`;
  if (name.startsWith(prefix)) {
    return dnsSubdomain(name.slice(prefix.length)).map((m) => invalid(NAME, name, m));
  }
  const text = `ClusterTrustBundle for signerName ${signer} must be named with prefix ${prefix}`;
  return [invalid(NAME, name, text)];
}

/** Bytes that a bundle may have. */
const MAX_BUNDLE = 1024 * 1024;

function faultOf({ type, text, hasHeaders }: PemBlock): string | undefined {
  if (type !== 'CERTIFICATE') return `has bad block type: ${type}`;
  if (hasHeaders) return 'has PEM block headers';
  try {
    return new X509Certificate(text).ca ? undefined : 'does not have the CA bit set';
  } catch {
    return 'does not parse as X.509';
  }
}

/** k8s pkg/apis/certificates/validation/validation.go:validateTrustBundle. */
function validateBundle(bundle: string): FieldError[] {
  if (byteLength(bundle) > MAX_BUNDLE) return [tooLong(BUNDLE, MAX_BUNDLE)];
  const omitted = (text: string): FieldError => invalid(BUNDLE, '<value omitted>', text);
  const blocks = pemBlocks(bundle);
  const faults = blocks.flatMap((block, i) => {
    const fault = faultOf(block);
    return fault ? [omitted(`entry ${i} ${fault}`)] : [];
  });
  // Of what stands there twice, or is missing, nothing is said beside a block that is wrong.
  if (faults.length > 0) return faults;
  if (blocks.length === 0) return [omitted('at least one trust anchor must be provided')];
  const places = new Map<string, number[]>();
  for (const [i, { der }] of blocks.entries()) {
    const key = der.toString('base64');
    places.set(key, [...(places.get(key) ?? []), i]);
  }
  return [...places.values()]
    .filter((indices) => indices.length > 1)
    .map((indices) => omitted(`duplicate trust anchor (indices [${indices.join(' ')}])`));
}

/** A bundle that an update leaves as it is is not read again. */
const validate = (
  { metadata, spec }: ClusterTrustBundle,
  old?: ClusterTrustBundle,
): FieldError[] => [
  ...validateName(metadata.name ?? '', spec?.signerName ?? ''),
  ...(spec?.signerName ? signerName(spec.signerName, SPEC.child('signerName')) : []),
  ...(old?.spec?.trustBundle === spec?.trustBundle && old
    ? []
    : validateBundle(String(spec?.trustBundle ?? ''))),
];

/** k8s pkg/apis/certificates/validation/validation.go:ValidateClusterTrustBundle. */
export const ClusterTrustBundleKind = defineKind<ClusterTrustBundle>({
  group: 'certificates.k8s.io',
  version: 'v1beta1',
  kind: 'ClusterTrustBundle',
  plural: 'clustertrustbundles',
  scope: 'Cluster',
  strategy: strategyOf<ClusterTrustBundle>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    // The rule of a name depends on the signer: see validateName.
    name: () => [],
    checkCreate: (bundle) => validate(bundle),
    checkUpdate: (bundle, old) => [
      ...validate(bundle, old),
      ...immutable(bundle.spec?.signerName, old.spec?.signerName, SPEC.child('signerName')),
    ],
  }),
  selectableFields: ({ spec }) => ({ 'spec.signerName': spec?.signerName ?? '' }),
  columns: table<ClusterTrustBundle>([
    nameColumn,
    column('SignerName', ({ spec }) => spec?.signerName || '<none>'),
  ]),
});
