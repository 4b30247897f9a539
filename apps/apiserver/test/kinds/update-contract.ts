import { expect, it } from '@jest/globals';
import { applyMergePatch } from '@orrery/apimachinery';
import { eventually } from '@orrery/testkit';
import type { Json } from '../replica.js';
import { metadataOf } from '../replica.js';
import type { Subject } from './subject.js';
import { causesOf, problemOf, versionOf } from './subject.js';

const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

const generation = (json: Json): unknown => metadataOf({ json })['generation'];

/** Kinds whose status the server itself sets soon after a write. */
const settles = ({ kind }: Subject): boolean =>
  ['apiservices', 'customresourcedefinitions', 'validatingadmissionpolicies'].includes(kind.plural);

function patches(subject: Subject): void {
  const { row, facts } = subject;

  it('changes by a merge patch, counting generations', async () => {
    const before = await subject.get('min');
    const after = await subject.patch('min', row.change);
    expect([after.status, problemOf(after)]).toEqual([200, undefined]);
    expect(after.json).toMatchObject(
      applyMergePatch({}, JSON.parse(JSON.stringify(row.change))) as Json,
    );
    expect(Number(versionOf(after))).toBeGreaterThan(Number(versionOf(before)));
    const declared = Object.keys(row.change).some((key) => key !== 'metadata');
    const grown = declared ? Number(generation(before.json)) + 1 : generation(before.json);
    expect(generation(after.json)).toBe(facts.countsGeneration ? grown : undefined);
  });

  it('writes nothing where nothing changes', async () => {
    // A controller of the server's own may write the status between the read and the write.
    await eventually(async () => {
      const { json } = await subject.get('min');
      const answers = [await subject.put('min', json), await subject.patch('min', {})];
      expect(answers.map(versionOf)).toEqual(answers.map(() => versionOf({ json })));
    });
  });

  it('takes JSON and strategic patches, and tells metadata from declarations', async () => {
    const { json } = await subject.get('min');
    const { api } = subject;
    const steps = [{ op: 'add', path: '/metadata/annotations', value: { a: '1' } }];
    const first = await api.patch(subject.path('min'), 'json-patch+json', steps);
    // That of DaemonSets is written by the server itself.
    const { 'deprecated.daemonset.template.generation': _own, ...given } = metadataOf(first)[
      'annotations'
    ] as Record<string, string>;
    expect([first.status, given]).toEqual([200, { a: '1' }]);
    const labels = { metadata: { labels: { tier: 'x' } } };
    const second = await subject.patch('min', labels, '', 'strategic-merge-patch+json');
    expect([second.status, metadataOf(second)['labels']]).toMatchObject([200, { tier: 'x' }]);
    const isDeployment = subject.kind.plural === 'deployments';
    const counted = isDeployment ? Number(generation(json)) + 1 : generation(json);
    expect(generation(second.json)).toBe(counted);
    const dry = await subject.patch(
      'min',
      { metadata: { labels: { tier: 'dry' } } },
      '?dryRun=All',
    );
    expect(dry.status).toBe(200);
    expect(metadataOf(await subject.get('min'))['labels']).toMatchObject({ tier: 'x' });
  });
}

function replaces(subject: Subject): void {
  const { facts } = subject;

  it('refuses an old resourceVersion, another name and another uid', async () => {
    const { json } = await subject.get('min');
    const metadata = metadataOf({ json });
    const name = subject.nameOf('min');
    const stale = await subject.put('min', {
      ...json,
      metadata: { ...metadata, resourceVersion: '1' },
    });
    const message = `Operation cannot be fulfilled on ${subject.resource} "${name}": `;
    expect(stale.json).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: `${message}${MODIFIED}`,
      details: { name, kind: subject.kind.plural },
    });
    const renamed = await subject.put('min', { ...json, metadata: { ...metadata, name: 'other' } });
    expect([renamed.status, renamed.json['message']]).toEqual([
      400,
      `the name of the object (other) does not match the name on the URL (${name})`,
    ]);
    await eventually(async () => {
      const now = (await subject.get('min')).json;
      const uid = { ...metadataOf({ json: now }), uid: 'other' };
      const other = await subject.put('min', { ...now, metadata: uid });
      // The key begins with what this server's keys in etcd begin with.
      const told = String(other.json['message']).replace(/ Key: \/\S+,/, '');
      expect([other.status, told]).toEqual([
        409,
        `${message}StorageError: invalid object, Code: 4, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: ${String(metadata['uid'])}`,
      ]);
    });
  });

  it('updates without a resourceVersion, and creates by PUT, where upstream does', async () => {
    const { json } = await subject.get('min');
    const metadata = { ...metadataOf({ json }) };
    delete metadata['resourceVersion'];
    const blind = await subject.put('min', { ...json, metadata });
    const refusal = {
      reason: 'FieldValueInvalid',
      message: 'Invalid value: 0: must be specified for an update',
      field: 'metadata.resourceVersion',
    };
    expect([blind.status, causesOf(blind)]).toEqual(
      facts.updatesBlindly ? [200, []] : [422, [refusal]],
    );
    const absent = await subject.put('absent', subject.minimal('absent'), '?dryRun=All');
    expect(absent.status).toBe(facts.createsOnUpdate ? 201 : 404);
  });
}

function keepsWhatIsImmutable(subject: Subject): void {
  const { row } = subject;

  for (const [patch, field, message] of row.frozen ?? []) {
    it(`keeps ${field} as it is`, async () => {
      const refused = await subject.patch('min', patch);
      expect([refused.status, refused.json['reason']]).toEqual([422, 'Invalid']);
      const { kind } = subject.kind;
      const qualified = subject.kind.group ? `${kind}.${subject.kind.group}` : kind;
      expect(refused.json['message']).toContain(
        `${qualified} "${subject.nameOf('min')}" is invalid: `,
      );
      const cause = causesOf(refused).find((one) => one['field'] === field);
      expect(String(cause?.['message']).split('\n')[0]).toBe(message);
    });
  }
}

function separatesStatus(subject: Subject): void {
  const { row } = subject;
  if (subject.kind.status) {
    it('writes status through /status alone, and nothing else through it', async () => {
      const { json } = await subject.get('min');
      const sent = {
        metadata: { labels: { tier: 'status' } },
        ...row.change,
        status: row.status ?? {},
      };
      const written = await subject.patch('min', sent, '/status');
      expect([written.status, problemOf(written)]).toEqual([200, undefined]);
      expect(written.json['status']).toMatchObject(
        applyMergePatch({}, JSON.parse(JSON.stringify(row.status ?? {}))) as Json,
      );
      expect(written.json['spec']).toEqual(json['spec']);
      expect(generation(written.json)).toBe(generation(json));
      const read = await subject.api.ask(subject.path('min', '/status'));
      expect(settles(subject) ? {} : read.json).toEqual(settles(subject) ? {} : written.json);
      await eventually(async () => {
        const now = await subject.api.ask(subject.path('min', '/status'));
        const body = { ...now.json };
        delete body['status'];
        const replaced = await subject.put('min', body);
        expect([replaced.status, replaced.json['status']]).toEqual([200, now.json['status']]);
      });
    });
  }
}

/** Replacing and patching. */
export function updateContract(subject: Subject): void {
  patches(subject);
  replaces(subject);
  keepsWhatIsImmutable(subject);
  separatesStatus(subject);
}

function labelled(subject: Subject, name: string, owner: string): Json {
  const object = subject.minimal(name);
  return { ...object, metadata: { ...(object['metadata'] as Json), labels: { owner } } };
}

/** Not of a kind whose status settles: there a later write may be a change of its own. */
function keepsTimesOfFields(subject: Subject): void {
  if (settles(subject)) return;
  it('takes times of managedFields alone for no change', async () => {
    const made = await subject.apply('times', labelled(subject, 'times', 'a'), 'fieldManager=a');
    const metadata = metadataOf(made);
    const sent = metadata['managedFields'] as readonly Json[];
    expect(sent).not.toEqual([]);
    const managedFields = sent.map((entry) => ({ ...entry, time: '2020-01-01T00:00:00Z' }));
    const earlier = await subject.put('times', {
      ...made.json,
      metadata: { ...metadata, managedFields },
    });
    expect([earlier.status, metadataOf(earlier)]).toEqual([200, metadata]);
  });
}

/** Server-side apply. */
export function applyContract(subject: Subject): void {
  keepsTimesOfFields(subject);
  it('applies: creates, owns, conflicts, is forced, dry-runs', async () => {
    const object = labelled(subject, 'app', 'a');
    const dry = await subject.apply('app', object, 'fieldManager=a&dryRun=All');
    expect([dry.status, problemOf(dry)]).toEqual([201, undefined]);
    expect((await subject.get('app')).status).toBe(404);
    const made = await subject.apply('app', object, 'fieldManager=a');
    expect(made.status).toBe(201);
    const entries = metadataOf(made)['managedFields'] as Json[];
    expect(entries.filter(({ operation }) => operation === 'Apply')).toMatchObject([
      {
        manager: 'a',
        apiVersion: subject.apiVersion,
        fieldsV1: { 'f:metadata': { 'f:labels': { 'f:owner': {} } } },
      },
    ]);
    const again = await subject.apply('app', object, 'fieldManager=a');
    const isSame = settles(subject) || versionOf(again) === versionOf(made);
    expect([again.status, isSame]).toEqual([200, true]);
    const { apiVersion, kind } = object;
    const bare = {
      apiVersion,
      kind,
      metadata: { name: subject.nameOf('app'), labels: { owner: 'b' } },
    };
    const conflict = await subject.apply('app', bare, 'fieldManager=b');
    expect(conflict.json).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "a": .metadata.labels.owner',
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "a"',
            field: '.metadata.labels.owner',
          },
        ],
      },
    });
    const forced = await subject.apply('app', bare, 'fieldManager=b&force=true');
    expect([forced.status, metadataOf(forced)['labels']]).toMatchObject([200, { owner: 'b' }]);
    const unknown = await subject.apply('app', { ...bare, bogus: 1 }, 'fieldManager=b');
    expect(unknown.json['message']).toMatch(
      /^failed to create typed patch object \(.*\): \.bogus: field not declared in schema$/,
    );
  });
}
