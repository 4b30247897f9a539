// Generates what libs/api/src/removed needs of the field tables: the versions that upstream has removed.
//   node libs/api/tools/generate-removed.mjs DEFINITIONS.json.gz PROTOBUF-FIELDS.json.gz
// Inputs as of generate.mjs. Outputs: src/gen/removed-schemas.json, src/gen/removed-protobuf.json. The tables have neither
// autoscaling/v2beta1, v2beta2 nor apiregistration.k8s.io/v1beta1: src/removed says what these are like.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const [definitionsFile, protobufFile] = process.argv.slice(2);
const read = (file) => JSON.parse(gunzipSync(readFileSync(file)));
const { definitions } = read(definitionsFile);
const protobuf = read(protobufFile);
const out = new URL('../src/gen/', import.meta.url);

const API = 'io.k8s.api';
const APIEXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions';

/** Of each package all kinds, or those named; what they refer to comes with them. */
const REMOVED = {
  [`${API}.admissionregistration.v1beta1`]: [
    'MutatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
  ],
  [`${API}.apps.v1beta1`]: ['ControllerRevision', 'Deployment', 'StatefulSet'],
  [`${API}.apps.v1beta2`]: [
    'ControllerRevision',
    'DaemonSet',
    'Deployment',
    'ReplicaSet',
    'StatefulSet',
  ],
  [`${API}.authentication.v1beta1`]: ['TokenReview', 'SelfSubjectReview'],
  [`${API}.authorization.v1beta1`]: [
    'LocalSubjectAccessReview',
    'SelfSubjectAccessReview',
    'SelfSubjectRulesReview',
    'SubjectAccessReview',
  ],
  [`${API}.batch.v1beta1`]: ['CronJob'],
  [`${API}.certificates.v1beta1`]: ['CertificateSigningRequest'],
  [`${API}.coordination.v1beta1`]: ['Lease'],
  [`${API}.discovery.v1beta1`]: ['EndpointSlice'],
  [`${API}.events.v1beta1`]: ['Event'],
  [`${API}.extensions.v1beta1`]: [
    'DaemonSet',
    'Deployment',
    'Ingress',
    'NetworkPolicy',
    'ReplicaSet',
  ],
  [`${API}.flowcontrol.v1beta1`]: ['FlowSchema', 'PriorityLevelConfiguration'],
  [`${API}.flowcontrol.v1beta2`]: ['FlowSchema', 'PriorityLevelConfiguration'],
  [`${API}.flowcontrol.v1beta3`]: ['FlowSchema', 'PriorityLevelConfiguration'],
  [`${API}.networking.v1beta1`]: ['Ingress', 'IngressClass'],
  [`${API}.node.v1alpha1`]: ['RuntimeClass'],
  [`${API}.node.v1beta1`]: ['RuntimeClass'],
  [`${API}.policy.v1beta1`]: ['PodDisruptionBudget', 'Eviction'],
  [`${API}.rbac.v1alpha1`]: ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  [`${API}.rbac.v1beta1`]: ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  [`${API}.scheduling.v1beta1`]: ['PriorityClass'],
  [`${API}.storage.v1alpha1`]: ['CSIStorageCapacity', 'VolumeAttachment'],
  [`${API}.storage.v1beta1`]: [
    'CSIDriver',
    'CSINode',
    'CSIStorageCapacity',
    'StorageClass',
    'VolumeAttachment',
  ],
  [`${APIEXTENSIONS}.v1beta1`]: ['CustomResourceDefinition'],
};

const packageOf = (name) => name.slice(0, name.lastIndexOf('.'));
const messageOf = (name) =>
  name
    .replace(/^io\.k8s\.api\./, 'k8s.io.api.')
    .replace(/^io\.k8s\.apiextensions-apiserver/, 'k8s.io.apiextensions_apiserver');

/** The definitions of the removed packages that these kinds are made of. */
function removedDefinitions() {
  const wanted = new Set();
  const visit = (name) => {
    if (wanted.has(name) || !REMOVED[packageOf(name)] || !definitions[name]) return;
    wanted.add(name);
    JSON.stringify(definitions[name], (key, value) => {
      if (key === '$ref' && typeof value === 'string') visit(value.slice('#/definitions/'.length));
      return value;
    });
  };
  for (const [pkg, kinds] of Object.entries(REMOVED))
    for (const kind of kinds) {
      visit(`${pkg}.${kind}`);
      visit(`${pkg}.${kind}List`);
    }
  return [...wanted].sort();
}

function nodeAt(root, path) {
  return path.split('.').reduce((node, name) => node?.nested?.[name], root);
}

function put(root, path, value) {
  const names = path.split('.');
  const last = names.pop();
  const parent = names.reduce((node, name) => {
    node.nested ??= {};
    return (node.nested[name] ??= {});
  }, root);
  (parent.nested ??= {})[last] = value;
}

/** The messages of these definitions, and what they are made of in the same package. */
function removedMessages(names) {
  const root = {};
  const visit = (path) => {
    const message = nodeAt(protobuf, path);
    if (!message?.fields || nodeAt(root, path)) return;
    put(root, path, message);
    const pkg = path.slice(0, path.lastIndexOf('.'));
    for (const { type } of Object.values(message.fields)) {
      const absolute = type.replace(/^\./, '');
      visit(absolute.includes('.') ? absolute : `${pkg}.${absolute}`);
    }
  };
  const packages = new Set(names.map((name) => messageOf(packageOf(name))));
  for (const name of names) visit(messageOf(name));
  // What these share with the current versions is in protobuf.json.
  const prune = (node, path) => {
    for (const [name, child] of Object.entries(node.nested ?? {})) {
      const here = path ? `${path}.${name}` : name;
      if (child.fields) {
        if (!packages.has(path)) delete node.nested[name];
      } else {
        prune(child, here);
        if (Object.keys(child.nested ?? {}).length === 0) delete node.nested[name];
      }
    }
  };
  prune(root, '');
  return root;
}

const names = removedDefinitions();
writeFileSync(
  new URL('removed-schemas.json', out),
  '{\n' +
    names.map((n) => `${JSON.stringify(n)}:${JSON.stringify(definitions[n])}`).join(',\n') +
    '\n}\n',
);
writeFileSync(new URL('removed-protobuf.json', out), JSON.stringify(removedMessages(names)) + '\n');
