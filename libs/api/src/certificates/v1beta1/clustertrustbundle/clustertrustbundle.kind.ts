import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid } from '@orrery/apimachinery';
import { X509Certificate } from 'node:crypto';
import type { ClusterTrustBundle } from '../../../gen/types/certificates.v1beta1.js';
import { defineKind } from '../../../kind.js';
import { when } from '../../../meta/findings.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { column, nameColumn, table } from '../../../table/columns.js';

const NAME = FieldPath.of('metadata', 'name');
const SPEC = FieldPath.of('spec');
const BUNDLE = SPEC.child('trustBundle');
const BLOCK = /-----BEGIN ([^-]+)-----([\s\S]*?)-----END \1-----/g;

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

function faultOf(type: string, pem: string): string | undefined {
  if (type !== 'CERTIFICATE') return `has bad block type: ${type}`;
  try {
    return new X509Certificate(pem).ca ? undefined : 'does not have the CA bit set';
  } catch {
    return 'does not parse as X.509';
  }
}

function validateBundle(bundle: string): FieldError[] {
  const omitted = (text: string): FieldError => invalid(BUNDLE, '<value omitted>', text);
  const blocks = [...bundle.matchAll(BLOCK)];
  if (blocks.length === 0) return [omitted('at least one trust anchor must be provided')];
  const seen = new Map<string, number>();
  return blocks.flatMap(([pem, type = ''], i) => {
    const fault = faultOf(type, pem);
    const key = pem.replaceAll(/\s/g, '');
    const first = seen.get(key);
    seen.set(key, first ?? i);
    return [
      ...(fault ? [omitted(`entry ${i} ${fault}`)] : []),
      ...when(first !== undefined, omitted(`duplicate trust anchor (indices [${first} ${i}])`)),
    ];
  });
}

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
    check: ({ metadata, spec }) => [
      ...validateName(metadata.name ?? '', spec?.signerName ?? ''),
      ...validateBundle(String(spec?.trustBundle ?? '')),
    ],
    checkUpdate: ({ spec }, old) =>
      immutable(spec?.signerName, old.spec?.signerName, SPEC.child('signerName')),
  }),
  selectableFields: ({ spec }) => ({ 'spec.signerName': spec?.signerName ?? '' }),
  columns: table<ClusterTrustBundle>([
    nameColumn,
    column('SignerName', ({ spec }) => spec?.signerName || '<none>'),
  ]),
});
