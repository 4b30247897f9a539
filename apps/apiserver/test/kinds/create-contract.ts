import { expect, it } from '@jest/globals';
import { eventually } from '@orrery/testkit';
import type { Json } from '../replica.js';
import { metadataOf, namesOf } from '../replica.js';
import type { Subject } from './subject.js';
import { causesOf, problemOf, versionOf } from './subject.js';

/** Objects within objects have no place for their type in protobuf. */
function withoutInnerTypes(json: Json): Json {
  const claims = (json['spec'] as Json | undefined)?.['volumeClaimTemplates'];
  if (!Array.isArray(claims)) return json;
  const plain = (claims as Json[]).map(({ kind: _kind, apiVersion: _version, ...claim }) => claim);
  return { ...json, spec: { ...(json['spec'] as Json), volumeClaimTemplates: plain } };
}

function createsWithDefaults(subject: Subject): void {
  const { kind, row, facts } = subject;

  it('leaves nothing behind after a dry run', async () => {
    const made = await subject.create(subject.minimal('min'), '?dryRun=All');
    expect([made.status, problemOf(made)]).toEqual([201, undefined]);
    expect(metadataOf(made)['uid']).toBeDefined();
    expect(metadataOf(made)['resourceVersion']).toBeUndefined();
    expect((await subject.get('min')).status).toBe(404);
  });

  it('creates with what the server owns and with its defaults', async () => {
    const made = await subject.create(subject.minimal('min'));
    expect([made.status, problemOf(made)]).toEqual([201, undefined]);
    expect(made.json).toMatchObject(row.defaults ?? {});
    const { uid, creationTimestamp, resourceVersion, generation } = metadataOf(made);
    expect(uid).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    expect(creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(resourceVersion).toMatch(/^[1-9]\d*$/);
    expect(generation).toBe(facts.countsGeneration ? 1 : undefined);
    const again = await subject.create(subject.minimal('min'));
    expect(again.json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `${subject.resource} "${subject.nameOf('min')}" already exists`,
      reason: 'AlreadyExists',
      details: {
        name: subject.nameOf('min'),
        ...(kind.group ? { group: kind.group } : {}),
        kind: kind.plural,
      },
      code: 409,
    });
  });
}

function showsInEveryForm(subject: Subject): void {
  const { kind, facts } = subject;

  it('comes back from YAML and protobuf as from JSON', async () => {
    const accept = 'application/yaml';
    const asked = {
      method: 'POST',
      body: JSON.stringify(subject.maximal('max')),
      headers: { 'content-type': accept },
    };
    const made = await subject.api.ask(`${subject.collection}?fieldValidation=Strict`, asked);
    expect([made.status, made.text]).toEqual([201, expect.anything()]);
    const { managedFields } = metadataOf(made);
    expect(managedFields).toMatchObject([
      {
        manager: 'spec',
        operation: 'Update',
        apiVersion: subject.apiVersion,
        fieldsType: 'FieldsV1',
      },
    ]);
    const json = await eventually(async () => {
      const read = await subject.get('max');
      const binary = await subject.asProtobuf(subject.path('max'));
      expect(binary).toEqual(withoutInnerTypes(read.json));
      return read.json;
    });
    const yaml = await subject.api.ask(subject.path('max'), { headers: { accept } });
    expect(yaml.text).toContain(`kind: ${kind.kind}\n`);
    const declared = await subject.api.ask(subject.path('max'), {
      method: 'PUT',
      body: yaml.text,
      headers: { 'content-type': accept },
    });
    expect([declared.status, problemOf(declared), versionOf(declared)]).toEqual([
      200,
      undefined,
      versionOf({ json }),
    ]);
  });

  it('lists, and shows tables with the columns of upstream', async () => {
    const { json } = await subject.api.ask(subject.collection);
    expect(json).toMatchObject({ kind: `${kind.kind}List`, apiVersion: subject.apiVersion });
    expect(namesOf({ json })).toEqual(
      expect.arrayContaining([subject.nameOf('max'), subject.nameOf('min')]),
    );
    const listed = (json['items'] as Json[]).length;
    const partial = await subject.asProtobuf(subject.collection);
    expect((partial['items'] as Json[]).length).toBe(listed);
    const table = await subject.api.ask(subject.collection, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    const columns = table.json['columnDefinitions'] as { name: string; priority: number }[];
    expect(columns.map(({ name, priority }) => ({ name, priority }))).toEqual(facts.columns);
    const rows = table.json['rows'] as { cells: unknown[]; object: Json }[];
    expect(rows.map(({ cells }) => cells.length)).toEqual(rows.map(() => columns.length));
    expect(rows[0]?.object['kind']).toBe('PartialObjectMetadata');
  });
}

function isFound(subject: Subject): void {
  const { kind, row } = subject;

  it('pages through a list', async () => {
    const seen: string[] = [];
    let next = '';
    let revision: unknown;
    do {
      const page = await subject.api.ask(`${subject.collection}?limit=1${next}`);
      seen.push(...namesOf(page));
      const { continue: token, resourceVersion } = metadataOf(page);
      revision ??= resourceVersion;
      next = typeof token === 'string' && token ? `&continue=${encodeURIComponent(token)}` : '';
    } while (next !== '');
    // The server itself may have made more of some kinds since the first page.
    const then = `resourceVersion=${String(revision)}&resourceVersionMatch=Exact`;
    expect(seen).toEqual(namesOf(await subject.api.ask(`${subject.collection}?${then}`)));
  });

  it('is selected by labels and by the fields of upstream', async () => {
    const fields = { 'metadata.name': subject.nameOf('max'), ...row.selected };
    const found = async (query: string): Promise<string[]> =>
      namesOf(await subject.api.ask(`${subject.collection}?${query}`));
    expect(await found('labelSelector=suite%3Dcontract')).toEqual([subject.nameOf('max')]);
    for (const [field, value] of Object.entries(fields)) {
      const query = `fieldSelector=${encodeURIComponent(`${field}=${value}`)}`;
      expect([field, await found(query)]).toEqual([
        field,
        expect.arrayContaining([subject.nameOf('max')]),
      ]);
      const others = `fieldSelector=${encodeURIComponent(`${field}!=${value}`)}`;
      expect([field, await found(others)]).toEqual([
        field,
        expect.not.arrayContaining([subject.nameOf('max')]),
      ]);
    }
    const refused = await subject.api.ask(`${subject.collection}?fieldSelector=spec.foo%3D1`);
    expect(refused.json).toMatchObject({ code: 400, reason: 'BadRequest' });
    expect(refused.json['message']).toBe(
      kind.selectableFields
        ? 'field label not supported: spec.foo'
        : '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });
}

function checksFields(subject: Subject): void {
  const { kind, row } = subject;

  it('refuses unknown fields when told to be strict, and warns of them otherwise', async () => {
    const odd = { ...subject.minimal('odd'), bogus: 1 };
    const strict = await subject.create(odd, '?fieldValidation=Strict&dryRun=All');
    expect(strict.json).toMatchObject({ code: 400, reason: 'BadRequest' });
    expect(strict.json['message']).toBe(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: unknown field "bogus"`,
    );
    const patched = await subject.patch('min', { bogus: 1 }, '?fieldValidation=Strict');
    expect([patched.status, causesOf(patched)]).toMatchObject([
      422,
      [
        {
          reason: 'FieldValueInvalid',
          field: 'patch',
          message: expect.stringMatching(
            /^Invalid value: "\{.*\}": strict decoding error: unknown field "bogus"$/,
          ),
        },
      ],
    ]);
    const warned = await subject.create(odd, '?dryRun=All');
    expect([warned.status, warned.headers['warning']]).toEqual([
      201,
      expect.stringContaining('299 - "unknown field \\"bogus\\""'),
    ]);
  });

  if (!row.namesFixed) {
    it('generates names', async () => {
      const object = subject.minimal('x');
      const metadata: Json = { ...(object['metadata'] as Json), generateName: 'gen-' };
      delete metadata['name'];
      const made = await subject.create({ ...object, metadata });
      expect(metadataOf(made)['name']).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    });
  }
}

/** Creating, and what comes back in every form. */
export function createContract(subject: Subject): void {
  createsWithDefaults(subject);
  showsInEveryForm(subject);
  isFound(subject);
  checksFields(subject);
}
