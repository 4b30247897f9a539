import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';
const SHED = '/api/v1/namespaces/shed/configmaps';

const JANE = { 'impersonate-user': 'jane' };

let api: Replica;

const jane = (): Promise<Answer> => api.ask(SHED, { headers: JANE });

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags: [] });
}, 60_000);

afterAll(async () => {
  await api.close();
});

const level = (seats: number): Json => ({
  metadata: { name: 'shed' },
  spec: {
    type: 'Limited',
    limited: { nominalConcurrencyShares: seats, limitResponse: { type: 'Reject' } },
  },
});

const schema: Json = {
  metadata: { name: 'shed' },
  spec: {
    priorityLevelConfiguration: { name: 'shed' },
    matchingPrecedence: 50,
    rules: [
      {
        subjects: [{ kind: 'User', user: { name: '*' } }],
        resourceRules: [
          { verbs: ['list'], apiGroups: [''], resources: ['configmaps'], namespaces: ['shed'] },
        ],
      },
    ],
  },
};

describe('priority and fairness', () => {
  it('names the schema and level of each answer', async () => {
    const schemaOf = await api.ask(`${FLOW}/flowschemas/global-default`);
    const levelOf = await api.ask(`${FLOW}/prioritylevelconfigurations/global-default`);
    const { headers } = await jane();
    expect(headers['x-kubernetes-pf-flowschema-uid']).toBe(metadataOf(schemaOf)['uid']);
    expect(headers['x-kubernetes-pf-prioritylevel-uid']).toBe(metadataOf(levelOf)['uid']);
    const path = await api.ask('/version', { headers: JANE });
    expect(path.headers['x-kubernetes-pf-flowschema-uid']).toBe(metadataOf(schemaOf)['uid']);
  });

  it('turns away what a level without seats is asked, and serves it when it has some', async () => {
    expect((await api.post(`${FLOW}/prioritylevelconfigurations`, level(0))).status).toBe(201);
    expect((await api.post(`${FLOW}/flowschemas`, schema)).status).toBe(201);
    await eventually(async () => {
      const { status, text, headers } = await jane();
      expect([status, headers['retry-after']]).toEqual([429, '1']);
      expect(text).toBe('Too many requests, please try again later.\n');
    });
    const { text } = await api.ask('/metrics');
    expect(text).toMatch(
      /apiserver_flowcontrol_rejected_requests_total\{priority_level="shed",flow_schema="shed",reason="concurrency-limit"\} [1-9]/,
    );
    expect(text).toContain('apiserver_flowcontrol_nominal_limit_seats{priority_level="shed"} 0');
    const { text: dump } = await api.ask('/debug/api_priority_and_fairness/dump_priority_levels');
    expect(dump).toMatch(/^PriorityLevelName, +ActiveQueues, +IsIdle, /);
    expect(dump).toMatch(/\nshed, +0, +true, +false, +0, +0, +0, +[1-9]\d*, +0, +0\n/);
    await api.patch(`${FLOW}/prioritylevelconfigurations/shed`, 'merge-patch+json', level(10));
    await eventually(async () => {
      expect((await jane()).status).toBe(200);
    });
  });

  it('tells of each schema whether its level is there', async () => {
    const dangling = async (): Promise<unknown> => {
      const { json } = await api.ask(`${FLOW}/flowschemas/astray`);
      const { conditions = [] } = (json['status'] ?? {}) as { conditions?: Json[] };
      return conditions.map(({ status, reason, message }) => [status, reason, message]);
    };
    const named = (text: string): string =>
      `This FlowSchema references the PriorityLevelConfiguration object named "absent" ${text}`;
    const spec = { ...(schema['spec'] as Json), priorityLevelConfiguration: { name: 'absent' } };
    await api.post(`${FLOW}/flowschemas`, { metadata: { name: 'astray' }, spec });
    await eventually(async () => {
      expect(await dangling()).toEqual([
        ['True', 'NotFound', named('but there is no such object')],
      ]);
    });
    await api.post(`${FLOW}/prioritylevelconfigurations`, {
      ...level(1),
      metadata: { name: 'absent' },
    });
    await eventually(async () => {
      expect(await dangling()).toEqual([['False', 'Found', named('and it exists')]]);
    });
  });
});
