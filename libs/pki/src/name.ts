import { Tag, element, oid, readAll, readOid, sequence, set } from './der.js';
import type { DerNode } from './der.js';

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';

/** The parts of a distinguished name that Kubernetes reads: CN is the user, O are the groups. */
export interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

function attribute(type: string, value: string): Buffer {
  const tag = PRINTABLE.test(value) ? Tag.printableString : Tag.utf8String;
  return sequence(oid(type), element(tag, Buffer.from(value, 'utf8')));
}

/** The name as Go's pkix.Name writes it: one set of all organizations, then the common name. */
export function encodeName({ commonName, organizations = [] }: Subject): Buffer {
  const groups = organizations
    .map((value) => attribute(ORGANIZATION, value))
    .sort((a, b) => Buffer.compare(a, b));
  return sequence(
    ...(groups.length > 0 ? [set(...groups)] : []),
    set(attribute(COMMON_NAME, commonName)),
  );
}

/** Reads CN and O of an encoded name; other attributes are left out. */
export function decodeName(name: DerNode): Required<Subject> {
  let commonName = '';
  const organizations: string[] = [];
  for (const relative of readAll(name.content))
    for (const pair of readAll(relative.content)) {
      const [type, value] = readAll(pair.content);
      if (!type || !value) continue;
      const id = readOid(type.content);
      if (id === COMMON_NAME) commonName = value.content.toString('utf8');
      else if (id === ORGANIZATION) organizations.push(value.content.toString('utf8'));
    }
  return { commonName, organizations };
}
