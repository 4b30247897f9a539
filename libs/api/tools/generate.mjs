// Generates libs/api/src/gen from the field tables of the Kubernetes API.
//   node libs/api/tools/generate.mjs DEFINITIONS.json.gz PROTOBUF-FIELDS.json.gz
// Inputs: OpenAPI v2 definitions and protobufjs JSON roots, names, numbers and types only.
// Outputs: types/<group>.<version>.ts, schemas.json, protobuf.json, resources.ts.
import { readFileSync, writeFileSync, mkdirSync, rmSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const [definitionsFile, protobufFile] = process.argv.slice(2);
const read = (file) => JSON.parse(gunzipSync(readFileSync(file)));
const definitions = read(definitionsFile).definitions;
const out = new URL('../src/gen/', import.meta.url);

/** The group versions that are served: each package of the definitions -> [group, version, its kinds when not all are]. */
const SERVED = {
  'io.k8s.api.core.v1': ['', 'v1'],
  'io.k8s.api.apps.v1': ['apps', 'v1'],
  'io.k8s.api.batch.v1': ['batch', 'v1'],
  'io.k8s.api.autoscaling.v1': ['autoscaling', 'v1'],
  'io.k8s.api.autoscaling.v2': ['autoscaling', 'v2'],
  'io.k8s.api.policy.v1': ['policy', 'v1'],
  'io.k8s.api.rbac.v1': ['rbac.authorization.k8s.io', 'v1'],
  'io.k8s.api.authentication.v1': ['authentication.k8s.io', 'v1'],
  'io.k8s.api.authorization.v1': ['authorization.k8s.io', 'v1'],
  'io.k8s.api.certificates.v1': ['certificates.k8s.io', 'v1'],
  'io.k8s.api.certificates.v1beta1': [
    'certificates.k8s.io',
    'v1beta1',
    ['ClusterTrustBundle', 'PodCertificateRequest'],
  ],
  'io.k8s.api.coordination.v1': ['coordination.k8s.io', 'v1'],
  'io.k8s.api.coordination.v1beta1': ['coordination.k8s.io', 'v1beta1', ['LeaseCandidate']],
  'io.k8s.api.discovery.v1': ['discovery.k8s.io', 'v1'],
  'io.k8s.api.events.v1': ['events.k8s.io', 'v1'],
  'io.k8s.api.flowcontrol.v1': ['flowcontrol.apiserver.k8s.io', 'v1'],
  'io.k8s.api.networking.v1': ['networking.k8s.io', 'v1'],
  'io.k8s.api.node.v1': ['node.k8s.io', 'v1'],
  'io.k8s.api.resource.v1': ['resource.k8s.io', 'v1'],
  'io.k8s.api.scheduling.v1': ['scheduling.k8s.io', 'v1'],
  'io.k8s.api.storage.v1': ['storage.k8s.io', 'v1'],
  'io.k8s.api.storagemigration.v1beta1': ['storagemigration.k8s.io', 'v1beta1'],
  'io.k8s.api.admissionregistration.v1': ['admissionregistration.k8s.io', 'v1'],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': ['apiextensions.k8s.io', 'v1'],
};
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

const refName = (ref) => ref.slice('#/definitions/'.length);
const packageOf = (name) => name.slice(0, name.lastIndexOf('.'));
const shortOf = (name) => name.slice(name.lastIndexOf('.') + 1);

/** True for what a served package offers: all of it, or the named kinds alone. */
function isServed(name) {
  const [, , kinds] = SERVED[packageOf(name)] ?? [];
  return (
    Boolean(SERVED[packageOf(name)]) &&
    (!kinds || kinds.includes(shortOf(name).replace(/List$/, '')))
  );
}

/** Every definition reachable from the served packages. */
function closure() {
  const wanted = new Set();
  const visit = (name) => {
    if (wanted.has(name) || !definitions[name]) return;
    wanted.add(name);
    JSON.stringify(definitions[name], (key, value) => {
      if (key === '$ref' && typeof value === 'string') visit(refName(value));
      return value;
    });
  };
  for (const name of Object.keys(definitions))
    if (isServed(name) || packageOf(name) === META) visit(name);
  return [...wanted].sort();
}

const fileOf = (pkg) =>
  pkg === META
    ? 'meta.v1'
    : SERVED[pkg]
      ? `${SERVED[pkg][0].split('.')[0] || 'core'}.${SERVED[pkg][1]}`
      : 'runtime';

function tsType(schema, file, imports) {
  if (schema.$ref) {
    const name = refName(schema.$ref);
    const special = {
      'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'number | string',
      'io.k8s.apimachinery.pkg.api.resource.Quantity': 'string',
      [`${META}.Time`]: 'string',
      [`${META}.MicroTime`]: 'string',
      [`${META}.Duration`]: 'string',
      [`${META}.FieldsV1`]: 'Record<string, unknown>',
      'io.k8s.apimachinery.pkg.runtime.RawExtension': 'unknown',
    }[name];
    if (special) return special;
    if (
      /\.(JSON|JSONSchemaPropsOrBool|JSONSchemaPropsOrArray|JSONSchemaPropsOrStringArray)$/.test(
        name,
      )
    )
      return 'unknown';
    if (!definitions[name]?.properties) return 'Record<string, unknown>';
    const target = fileOf(packageOf(name));
    if (target !== file) (imports[target] ??= new Set()).add(shortOf(name));
    return shortOf(name);
  }
  if (schema.enum) return schema.enum.map((v) => `'${v}'`).join(' | ') || 'string';
  if (schema.type === 'array') {
    const item = tsType(schema.items, file, imports);
    return item.includes('|') ? `(${item})[]` : `${item}[]`;
  }
  if (schema.type === 'object')
    return schema.additionalProperties
      ? `Record<string, ${tsType(schema.additionalProperties, file, imports)}>`
      : 'Record<string, unknown>';
  return (
    { integer: 'number', number: 'number', boolean: 'boolean', string: 'string' }[schema.type] ??
    'unknown'
  );
}

const quote = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`);

function interfaceOf(name, schema, file, imports) {
  const required = new Set(schema.required ?? []);
  const gvk = schema['x-kubernetes-group-version-kind'];
  const top = gvk && schema.properties?.metadata;
  const lines = Object.entries(schema.properties ?? {}).map(([field, sub]) => {
    const must =
      required.has(field) ||
      (top && (field === 'metadata' || field === 'items' || field === 'spec'));
    return `  ${quote(field)}${must ? '' : '?'}: ${tsType(sub, file, imports)};`;
  });
  return `export interface ${shortOf(name)} {\n${lines.join('\n')}\n}`;
}

function writeTypes(names) {
  const files = {};
  for (const name of names) {
    if (!definitions[name].properties) continue;
    (files[fileOf(packageOf(name))] ??= []).push(name);
  }
  for (const [file, members] of Object.entries(files)) {
    const imports = {};
    const bodies = members.map((name) => interfaceOf(name, definitions[name], file, imports));
    const head = Object.entries(imports).map(
      ([from, set]) => `import type { ${[...set].sort().join(', ')} } from './${from}.js';`,
    );
    writeFileSync(
      new URL(`types/${file}.ts`, out),
      `// Generated by libs/api/tools/generate.mjs; do not edit.\n${head.join('\n')}\n\n${bodies.join('\n\n')}\n`,
    );
  }
}

/** Kinds of the served packages that are stored objects or request kinds, with their resource names. */
const PLURAL = { Endpoints: 'endpoints' };
const CLUSTER_SCOPED = new Set(
  (
    'Namespace Node PersistentVolume ComponentStatus ClusterRole ClusterRoleBinding CertificateSigningRequest ' +
    'FlowSchema PriorityLevelConfiguration IngressClass IPAddress ServiceCIDR RuntimeClass PriorityClass StorageClass ' +
    'CSIDriver CSINode VolumeAttachment VolumeAttributesClass MutatingWebhookConfiguration ValidatingWebhookConfiguration ' +
    'ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding ' +
    'CustomResourceDefinition DeviceClass ResourceSlice ClusterTrustBundle StorageVersionMigration TokenReview SelfSubjectReview SubjectAccessReview ' +
    'SelfSubjectAccessReview SelfSubjectRulesReview'
  ).split(' '),
);
const NOT_RESOURCES =
  /(Options|List|WatchEvent|Status|APIGroup|APIVersions|RangeAllocation|SerializedReference|Eviction|Scale|TokenRequest|PodStatusResult|ConversionReview)$/;
const plural = (kind) =>
  PLURAL[kind] ??
  kind
    .toLowerCase()
    .replace(/(s|x|ch|sh)$/, '$1e')
    .replace(/([^aeiou])y$/, '$1ie') + 's';

function writeResources(names) {
  const byFile = {};
  const rows = [];
  for (const name of names) {
    const served = SERVED[packageOf(name)];
    const gvk = definitions[name]['x-kubernetes-group-version-kind'];
    if (!served || !gvk || !definitions[name].properties?.metadata) continue;
    const kind = shortOf(name);
    if (NOT_RESOURCES.test(kind) && kind !== 'ComponentStatus') continue;
    const [group, version] = served;
    const file = fileOf(packageOf(name));
    const id = `${plural(kind)}${kind === 'Event' && group ? 'EventsV1' : ''}${group === 'autoscaling' && version === 'v1' ? 'V1' : ''}`;
    const alias = `${kind}_${file.replace(/\W/g, '_')}`;
    (byFile[file] ??= []).push(`${kind} as ${alias}`);
    rows.push(
      `export const ${id} = ref<${alias}>('${group}', '${version}', '${plural(kind)}', '${kind}', ${!CLUSTER_SCOPED.has(kind)});`,
    );
  }
  const imports = Object.entries(byFile).map(
    ([file, kinds]) => `import type { ${kinds.join(', ')} } from './types/${file}.js';`,
  );
  writeFileSync(
    new URL('resources.ts', out),
    `// Generated by libs/api/tools/generate.mjs; do not edit.\nimport { ref } from '../resource-ref.js';\n${imports.join('\n')}\n\n${rows.join('\n')}\n`,
  );
}

/** Keeps the protobuf packages whose messages belong to the served definitions. */
function pruneProtobuf(root) {
  const keep = new Set([
    ...Object.keys(SERVED).map((p) =>
      p
        .replace(/^io\.k8s\.api\./, 'k8s.io.api.')
        .replace(/^io\.k8s\.apiextensions-apiserver/, 'k8s.io.apiextensions_apiserver'),
    ),
    'k8s.io.apimachinery.pkg.apis.meta.v1',
    'k8s.io.apimachinery.pkg.runtime',
    'k8s.io.apimachinery.pkg.runtime.schema',
    'k8s.io.apimachinery.pkg.util.intstr',
    'k8s.io.apimachinery.pkg.api.resource',
  ]);
  const walk = (node, path) => {
    for (const [name, child] of Object.entries(node.nested ?? {})) {
      const here = path ? `${path}.${name}` : name;
      if (child.fields || child.values) continue;
      walk(child, here);
      const holdsTypes = Object.values(child.nested ?? {}).some((c) => c.fields || c.values);
      if (holdsTypes && !keep.has(here)) delete node.nested[name];
      else if (!Object.keys(child.nested ?? {}).length) delete node.nested[name];
    }
  };
  walk(root, '');
  return root;
}

// What generate-removed.mjs has made stays.
rmSync(new URL('types/', out), { recursive: true, force: true });
mkdirSync(new URL('types/', out), { recursive: true });
const names = closure();
writeTypes(names);
writeResources(names);
writeFileSync(
  new URL('schemas.json', out),
  '{\n' +
    names.map((n) => `${JSON.stringify(n)}:${JSON.stringify(definitions[n])}`).join(',\n') +
    '\n}\n',
);
writeFileSync(
  new URL('protobuf.json', out),
  JSON.stringify(pruneProtobuf(read(protobufFile))) + '\n',
);
