import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ProtobufCodec, decodeJson, decodeYaml, encodeYaml } from '@orrery/apimachinery';
import { protobufDescriptor, schemaRegistry } from '@orrery/api';

// UPSTREAM_API=…/k8s.io/api npm run test:upstream-types: every object of upstream's own test data (testdata/HEAD), which sets
// every field there is, is read and written in all three forms; each must be the other's, bytes of protobuf and of YAML too.
// Groups that are not served are named at the end; ends with 1 when anything differs.

type Plain = Record<string, unknown>;

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const isOpen = (value: unknown): value is Plain => typeof value === 'object' && value !== null;

/** Where two values differ, as `.path: ours … upstream …`. */
function differences(ours: unknown, theirs: unknown, path = ''): string[] {
  if (isOpen(ours) && isOpen(theirs)) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
    return [...keys].flatMap((key) => differences(ours[key], theirs[key], `${path}.${key}`));
  }
  return ours === theirs
    ? []
    : [`${path}: ours ${JSON.stringify(ours)} upstream ${JSON.stringify(theirs)}`];
}

const codec = new ProtobufCodec(protobufDescriptor(), schemaRegistry());

interface Sample {
  readonly object: Plain & { readonly apiVersion: string; readonly kind: string };
  readonly protobuf: Buffer;
  readonly yaml: string;
}

/** What one object shows to be different. */
function faultsOf({ object, protobuf, yaml }: Sample): string[] {
  const written = codec.encode(object);
  return [
    ...(written.equals(protobuf)
      ? []
      : [`protobuf written: ${written.length} bytes, upstream ${protobuf.length}`]),
    ...differences(codec.decode(protobuf).object, object).map((one) => `protobuf read: ${one}`),
    ...differences(decodeYaml(yaml).value, object).map((one) => `YAML read: ${one}`),
    ...(encodeYaml(object) === yaml ? [] : ['YAML written is not the same text']),
  ];
}

const folder = join(process.env['UPSTREAM_API'] ?? '', 'testdata', 'HEAD');
if (!existsSync(folder)) {
  process.stderr.write(`UPSTREAM_API names no folder of k8s.io/api with testdata: ${folder}\n`);
  process.exit(2);
}
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));
let alike = 0;
const unknown: string[] = [];
for (const name of names) {
  const read = (ending: string): Buffer => readFileSync(join(folder, `${name}.${ending}`));
  const object = decodeJson(read('json')).value as Sample['object'];
  if (object.apiVersion === undefined || !codec.supports(object.apiVersion, object.kind)) {
    unknown.push(name);
    continue;
  }
  const faults = faultsOf({ object, protobuf: read('pb'), yaml: read('yaml').toString('utf8') });
  if (faults.length === 0) alike += 1;
  for (const fault of faults) say(`${name}: ${fault}`);
}
const served = names.length - unknown.length;
say(`${alike} of ${served} objects alike; not served: ${unknown.join(', ')}`);
process.exitCode = alike === served ? 0 : 1;
