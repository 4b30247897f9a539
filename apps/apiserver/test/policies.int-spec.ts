import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const GROUP = '/apis/admissionregistration.k8s.io/v1';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

let api: Replica;

beforeAll(async () => {
  const flags = ['--disable-admission-plugins=ServiceAccount'];
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags });
}, 60_000);

afterAll(async () => {
  await api.close();
});

const rules = (resources: string): Json => ({
  resourceRules: [
    {
      apiGroups: ['*'],
      apiVersions: ['*'],
      operations: ['CREATE', 'UPDATE'],
      resources: [resources],
    },
  ],
});

async function make(plural: string, name: string, spec: Json): Promise<Answer> {
  const answer = await api.post(`${GROUP}/${plural}`, { metadata: { name }, spec });
  expect({ status: answer.status, text: answer.status === 201 ? '' : answer.text }).toEqual({
    status: 201,
    text: '',
  });
  return answer;
}

const configMap = (name: string, data: Json, labels: Json = {}): Json => ({
  metadata: { name, labels },
  data,
});

describe('ValidatingAdmissionPolicy', () => {
  beforeAll(async () => {
    await api.post(CONFIG_MAPS, configMap('limits', { max: '3' }));
    await make('validatingadmissionpolicies', 'judge.example.com', {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: rules('configmaps'),
      matchConditions: [
        { name: 'judged', expression: "object.metadata.?labels.?judged.orValue('') == 'yes'" },
      ],
      variables: [
        { name: 'max', expression: 'int(params.data.max)' },
        { name: 'count', expression: 'has(object.data) ? object.data.size() : 0' },
      ],
      validations: [
        {
          expression: 'variables.count <= variables.max',
          messageExpression:
            "'at most ' + string(variables.max) + ' entries, not ' + string(variables.count)",
          reason: 'Forbidden',
        },
        { expression: "!object.metadata.name.startsWith('bad')", message: 'bad name' },
        {
          expression:
            "authorizer.group('').resource('configmaps').namespace('default').check('create').allowed()",
        },
        { expression: "request.operation != 'DELETE' && request.userInfo.groups.size() > 0" },
        { expression: "namespaceObject.metadata.name == 'default'" },
      ],
    });
    await make('validatingadmissionpolicybindings', 'judge', {
      policyName: 'judge.example.com',
      paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' },
      validationActions: ['Deny'],
    });
    await make('validatingadmissionpolicies', 'warn.example.com', {
      matchConstraints: rules('configmaps'),
      validations: [{ expression: "!('warned' in object.data)", message: 'should not be warned' }],
    });
    await make('validatingadmissionpolicybindings', 'warn', {
      policyName: 'warn.example.com',
      validationActions: ['Warn', 'Audit'],
      matchResources: { objectSelector: { matchLabels: { warn: 'yes' } } },
    });
    await eventually(async () => {
      const body = configMap('bad-probe', {}, { judged: 'yes', warn: 'yes' });
      const { status, headers } = await api.post(`${CONFIG_MAPS}?dryRun=All`, body);
      if (status !== 422 || headers['warning'] === undefined) throw new Error('not yet');
    });
  }, 20_000);

  it('lets pass what it allows, or does not concern', async () => {
    const good = configMap('good', { a: '1' }, { judged: 'yes' });
    expect((await api.post(CONFIG_MAPS, good)).status).toBe(201);
    expect((await api.post(CONFIG_MAPS, configMap('bad-free', {}))).status).toBe(201);
  });

  it('denies with the message that its expression makes', async () => {
    const data = { a: '1', b: '1', c: '1', d: '1' };
    const { status, json } = await api.post(
      CONFIG_MAPS,
      configMap('many', data, { judged: 'yes' }),
    );
    const denied =
      "ValidatingAdmissionPolicy 'judge.example.com' with binding 'judge' denied request: at most 3 entries, not 4";
    expect(status).toBe(403);
    expect(json).toMatchObject({
      reason: 'Forbidden',
      message: `configmaps "many" is forbidden: ${denied}`,
      details: { name: 'many', kind: 'configmaps', causes: [{ message: denied }] },
    });
  });

  it('only warns where it is bound so', async () => {
    const { status, headers } = await api.post(
      CONFIG_MAPS,
      configMap('warned', { warned: 'x' }, { warn: 'yes' }),
    );
    expect(status).toBe(201);
    expect(headers['warning']).toContain(
      "Validation failed for ValidatingAdmissionPolicy 'warn.example.com' with binding 'warn': should not be warned",
    );
  });

  it('is told by its status what does not fit the kinds it names', async () => {
    const spec = {
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['apps'],
            apiVersions: ['v1'],
            operations: ['*'],
            resources: ['deployments'],
          },
        ],
      },
      validations: [
        { expression: 'object.spec.replicas > 1' },
        { expression: 'object.spec.nope > 1 && object.spec.replicas == "1"' },
      ],
    };
    await make('validatingadmissionpolicies', 'typed.example.com', spec);
    await eventually(async () => {
      const { json } = await api.ask(`${GROUP}/validatingadmissionpolicies/typed.example.com`);
      const status = json['status'] as Json | undefined;
      if (status?.['observedGeneration'] !== 1) throw new Error('not yet');
      expect(status['typeChecking']).toEqual({
        expressionWarnings: [
          {
            fieldRef: 'spec.validations[1].expression',
            warning:
              'apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field \'nope\'\n | object.spec.nope > 1 && object.spec.replicas == "1"\n | ...........^\n' +
              "ERROR: <input>:1:46: found no matching overload for '_==_' applied to '(int, string)'\n | object.spec.nope > 1 && object.spec.replicas == \"1\"\n | .............................................^\n",
          },
        ],
      });
    });
  });

  it('is shown as a table', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { json } = await api.ask(`${GROUP}/validatingadmissionpolicies`, { headers: { accept } });
    const rows = json['rows'] as { cells: unknown[] }[];
    expect(rows[0]?.cells.slice(0, 3)).toEqual(['judge.example.com', 5, 'v1/ConfigMap']);
  });

  it.each<{ name: string; spec: Json; want: string }>([
    {
      name: 'an expression that does not compile',
      spec: { matchConstraints: rules('pods'), validations: [{ expression: 'object.x +' }] },
      want: 'spec.validations[0].expression: Invalid value: "object.x +": compilation failed: ERROR: <input>:1:11: Syntax error: mismatched input \'<EOF>\' expecting',
    },
    {
      name: 'one that is no bool',
      spec: { matchConstraints: rules('pods'), validations: [{ expression: '1' }] },
      want: 'spec.validations[0].expression: Invalid value: "1": must evaluate to bool',
    },
    {
      name: 'nothing to validate, nothing to match',
      spec: {},
      want: 'spec.matchConstraints: Required value, spec.validations: Required value: validations or auditAnnotations must contain at least one item',
    },
    {
      name: 'a variable that is not there',
      spec: {
        matchConstraints: rules('pods'),
        variables: [{ name: 'a', expression: '1' }],
        validations: [{ expression: 'variables.b == 1' }],
      },
      want: "undefined field 'b'",
    },
  ])('is refused with $name', async ({ spec, want }) => {
    const body = { metadata: { name: 'wrong' }, spec };
    const { status, json } = await api.post(`${GROUP}/validatingadmissionpolicies`, body);
    expect(status).toBe(422);
    expect(json['message']).toContain(want);
  });
});

describe('MutatingAdmissionPolicy', () => {
  const label = 'touched';
  beforeAll(async () => {
    await make('mutatingadmissionpolicies', 'apply.example.com', {
      matchConstraints: rules('configmaps'),
      matchConditions: [{ name: 'asked', expression: "object.metadata.name.startsWith('mutate')" }],
      reinvocationPolicy: 'IfNeeded',
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression: `Object{metadata: Object.metadata{labels: {'${label}': 'yes'}}, data: {'added': 'by ' + request.operation}}`,
          },
        },
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: `[JSONPatch{op: 'test', path: '/metadata/labels/${label}', value: 'yes'}, JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('example.com/patched'), value: 'too'}]`,
          },
        },
      ],
    });
    await make('mutatingadmissionpolicybindings', 'apply', { policyName: 'apply.example.com' });
    await eventually(async () => {
      const { json } = await api.post(`${CONFIG_MAPS}?dryRun=All`, configMap('mutate-probe', {}));
      if (!JSON.stringify(json).includes(label)) throw new Error('not yet');
    });
  }, 20_000);

  it('changes the object by both kinds of patches', async () => {
    const { status, json } = await api.post(CONFIG_MAPS, configMap('mutate', { a: '1' }));
    expect(status).toBe(201);
    expect(json['data']).toEqual({ a: '1', added: 'by CREATE' });
    expect((json['metadata'] as Json)['labels']).toEqual({
      [label]: 'yes',
      'example.com/patched': 'too',
    });
  });

  it.each<{ name: string; mutation: Json; want: string }>([
    {
      name: 'an expression that makes something else',
      mutation: { patchType: 'ApplyConfiguration', applyConfiguration: { expression: '{}' } },
      want: 'must evaluate to Object but got map(dyn, dyn)',
    },
    {
      name: 'no patch',
      mutation: { patchType: 'JSONPatch' },
      want: 'spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
    },
  ])('is refused with $name', async ({ mutation, want }) => {
    const spec = {
      matchConstraints: rules('pods'),
      reinvocationPolicy: 'Never',
      mutations: [mutation],
    };
    const body = { metadata: { name: 'wrong' }, spec };
    const { status, json } = await api.post(`${GROUP}/mutatingadmissionpolicies`, body);
    expect(status).toBe(422);
    expect(json['message']).toContain(want);
  });
});
