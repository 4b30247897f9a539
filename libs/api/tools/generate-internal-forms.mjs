// Generates libs/api/src/gen/internal-forms.json: names, order and kinds of the fields of Go's structs, which findings print.
//   node libs/api/tools/generate-internal-forms.mjs FOLDER
// FOLDER holds the sources of k8s.io/api and k8s.io/apimachinery (…/src/k8s.io). What findings print are the internal types
// of k8s.io/kubernetes/pkg/apis; they have the names and, but for OTHERWISE, the order of the served ones, and no JSON names.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);

/** Types that findings print; what they hold comes with them. */
const ROOTS = [
  'core/v1.PodSpec',
  'core/v1.PodTemplateSpec',
  'core/v1.EphemeralContainer',
  'core/v1.SecurityContext',
  'core/v1.PersistentVolumeClaimSpec',
  'core/v1.PersistentVolumeSource',
  'core/v1.VolumeNodeAffinity',
  'core/v1.ScopeSelector',
  'apps/v1.StatefulSetUpdateStrategy',
  'apps/v1.DaemonSetUpdateStrategy',
  'apps/v1.DeploymentStrategy',
  'batch/v1.SuccessPolicy',
  'batch/v1.UncountedTerminatedPods',
  'admissionregistration/v1.AuditAnnotation',
  'certificates/v1.CertificateSigningRequestCondition',
  'certificates/v1beta1.PodCertificateRequestSpec',
  'flowcontrol/v1.FlowSchemaSpec',
  'flowcontrol/v1.PriorityLevelConfigurationSpec',
  'resource/v1.ResourceClaimTemplateSpec',
  'resource/v1.AllocationResult',
  'resource/v1.DeviceAttribute',
  'storage/v1.VolumeAttachmentSpec',
  'storage/v1.CSINodeDriver',
  'storagemigration/v1beta1.StorageVersionMigrationSpec',
];

/** Where an internal struct is not as the served one: its fields in their order. */
const OTHERWISE = {
  'core/v1.VolumeSource': { after: { Quobyte: 'RBD', FlexVolume: 'Quobyte' } },
  'core/v1.PersistentVolumeSource': { after: { Quobyte: 'RBD', FlexVolume: 'ISCSI' } },
  'core/v1.PodSpec': {
    without: [
      'DeprecatedServiceAccount',
      'HostNetwork',
      'HostPID',
      'HostIPC',
      'ShareProcessNamespace',
      'HostUsers',
    ],
    after: {
      SetHostnameAsFQDN: 'Subdomain',
      PreemptionPolicy: 'Priority',
      Overhead: 'RuntimeClassName',
      EnableServiceLinks: 'Overhead',
    },
  },
  'core/v1.PodSecurityContext': {
    first: [
      ['HostNetwork', 'hostNetwork', 'false'],
      ['HostPID', 'hostPID', 'false'],
      ['HostIPC', 'hostIPC', 'false'],
      ['ShareProcessNamespace', 'shareProcessNamespace', 'null'],
      ['HostUsers', 'hostUsers', 'null'],
    ],
    after: { FSGroupChangePolicy: 'FSGroup' },
  },
};

const packages = new Map();

/** The structs and other types of a package; of `metav1` too. */
function packageOf(path) {
  let known = packages.get(path);
  if (!known) packages.set(path, (known = parse(path)));
  return known;
}

function sourceOf(path) {
  const isMeta = path === 'meta/v1';
  const home = isMeta ? 'apimachinery/pkg/apis/meta/v1' : `api/${path}`;
  return (isMeta ? ['types.go', 'group_version.go'] : ['types.go'])
    .map((file) => readFileSync(join(folder, home, file), 'utf8'))
    .join('\n')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '');
}

/** A field of a struct; undefined for a line that is none. */
function fieldOf(line) {
  const code = line.trim().replace(/\s*\/\/.*$/, '');
  const field = /^(?:(\w+)\s+)?([^\s`]+)\s*(?:`(.*)`)?$/.exec(code);
  if (!field) return undefined;
  const [, name = '', type, tags = ''] = field;
  const [json = '', ...options] = (/json:"([^"]*)"/.exec(tags)?.[1] ?? '').split(',');
  return { name, type, json, omits: options.includes('omitempty') };
}

function parse(path) {
  const source = sourceOf(path);
  const [structs, others, imports] = [new Map(), new Map(), new Map()];
  for (const [, alias, from] of source.matchAll(/^\s+(?:(\w+) )?"k8s\.io\/([^"]+)"$/gm))
    imports.set(alias ?? from.split('/').at(-1), from);
  for (const [, name, is] of source.matchAll(/^type (\w+) ([^\n{]+)$/gm)) others.set(name, is);
  for (const [, name, body] of source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}$/gm))
    structs.set(name, body.split('\n').map(fieldOf).filter(Boolean));
  return { structs, others, imports };
}

const SCALARS = {
  string: '""',
  bool: 'false',
  byte: '0',
  int32: '0',
  int64: '0',
  int: '0',
  float64: '0',
};
const SPECIAL = {
  'resource.Quantity': '"0"',
  'intstr.IntOrString': '0',
  'metav1.Time': 'null',
  'metav1.MicroTime': 'null',
  'metav1.FieldsV1': 'null',
  'metav1.Duration': '"0s"',
  'runtime.RawExtension': 'null',
  'types.UID': '""',
  'types.NodeName': '""',
};

const wanted = new Map();

const MARKS = { '*': '*', '[]': '[]' };

/** A pointer, list or map: what is in it matters only where that is a struct. */
function container(open, inner, path) {
  const of = open === '[]' && inner === 'byte' ? '' : printed(inner, path);
  return isStruct(of) ? `${MARKS[open] ?? '{}'}${of.replace(/^([*]|\[\]|\{\})+/, '')}` : 'null';
}

/** A type of another package. */
function imported(type, path) {
  const [pkg, name] = type.split('.');
  const from = packageOf(path).imports.get(pkg) ?? '';
  if (from === 'apimachinery/pkg/apis/meta/v1') return printed(name, 'meta/v1');
  if (from.startsWith('api/')) return printed(name, from.slice('api/'.length));
  throw new Error(`${path}: no type ${type}`);
}

/** A type as it is printed: the JSON of its zero, or where the struct of a field, of items or of values is described. */
function printed(type, path) {
  const [, open, inner] = /^(\*|\[\]|map\[[\w.]+\])(.+)$/.exec(type) ?? [];
  if (open) return container(open, inner, path);
  const full = path === 'meta/v1' && !type.includes('.') ? `metav1.${type}` : type;
  const zero = SCALARS[type] ?? SPECIAL[full];
  if (zero !== undefined) return zero;
  const { structs, others } = packageOf(path);
  if (structs.has(type)) return want(path, type);
  return others.has(type) ? printed(others.get(type), path) : imported(type, path);
}

const isStruct = (text) => text.includes('/');

function want(path, name) {
  const key = `${path}.${name}`;
  if (wanted.has(key)) return key;
  wanted.set(key, []);
  const isMeta = path === 'meta/v1';
  let rows = packageOf(path)
    .structs.get(name)
    .map((field) => {
      const isEmbedded = !field.name;
      const row = [
        isEmbedded ? '' : isMeta ? field.json : field.name,
        field.json,
        printed(field.type, path),
      ];
      return isMeta && field.omits ? [...row, 'omitempty'] : row;
    });
  const { without = [], after = {}, first = [] } = OTHERWISE[key] ?? {};
  rows = [...first, ...rows.filter(([field]) => !without.includes(field))];
  for (const [field, before] of Object.entries(after)) {
    const [row] = rows.splice(
      rows.findIndex(([one]) => one === field),
      1,
    );
    rows.splice(rows.findIndex(([one]) => one === before) + 1, 0, row);
  }
  wanted.set(key, rows);
  return key;
}

for (const root of ROOTS) want(...root.split(/\.(?=\w+$)/));
const text = [...wanted]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, rows]) => `${JSON.stringify(name)}:${JSON.stringify(rows)}`)
  .join(',\n');
writeFileSync(new URL('../src/gen/internal-forms.json', import.meta.url), `{\n${text}\n}\n`);
