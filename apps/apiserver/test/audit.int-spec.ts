import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toKubeconfig } from '@orrery/pki';
import { eventually, useEtcd } from '@orrery/testkit';
import { HookServer } from './hook-server.js';
import { startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

const etcd = useEtcd();
const folder = mkdtempSync(join(tmpdir(), 'orrery-audit-'));
const log = join(folder, 'audit.log');
const MAPS = '/api/v1/namespaces/default/configmaps';

const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitManagedFields: true
rules:
- level: None
  nonResourceURLs: ['/readyz*']
- level: None
  namespaces: [quiet]
- level: RequestResponse
  resources: [{ group: '', resources: ['configmaps'] }]
- level: Request
  resources: [{ group: '', resources: ['limitranges'] }]
  omitStages: [RequestReceived]
- level: Metadata
  omitStages: [RequestReceived]
`;

let api: Replica;
let hook: HookServer;

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const events = (): Json[] =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json);

/** The events of one request. */
async function eventsOf(auditId: unknown, count: number): Promise<Json[]> {
  let found: Json[] = [];
  await eventually(() => {
    found = events().filter((event) => event['auditID'] === auditId);
    expect(found).toHaveLength(count);
  });
  return found;
}

beforeAll(async () => {
  hook = await HookServer.start('127.218.130.37', ['audit']);
  const kubeconfig = toKubeconfig({
    clusterName: 'hook',
    server: `${hook.url}/audit`,
    caPem: hook.ca.certPem,
    userName: 'audit',
    credentials: { token: 'secret' },
  });
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: [
      `--audit-policy-file=${file('policy.yaml', POLICY)}`,
      `--audit-log-path=${log}`,
      `--audit-webhook-config-file=${file('webhook.conf', kubeconfig)}`,
      '--audit-webhook-batch-max-wait=50ms',
      `--token-auth-file=${file('tokens.csv', 'root,root,1,system:masters\njane,jane,2,dev\n')}`,
      '--authorization-mode=RBAC',
    ],
    headers: { authorization: 'Bearer root' },
  });
}, 60_000);

afterAll(async () => {
  await api.close();
  await hook.close();
});

describe('audit', () => {
  it('shows what was asked and answered, stage by stage', async () => {
    const made = await api.post(MAPS, { metadata: { name: 'audited' }, data: { a: '1' } });
    const [received, complete] = await eventsOf(made.headers['audit-id'], 2);
    expect(received).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'RequestResponse',
      stage: 'RequestReceived',
      requestURI: MAPS,
      verb: 'create',
      user: { username: 'root', uid: '1', groups: ['system:masters', 'system:authenticated'] },
      userAgent: 'spec',
      objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
    });
    expect(received).not.toHaveProperty('requestObject');
    expect(complete).toMatchObject({
      stage: 'ResponseComplete',
      objectRef: { name: 'audited' },
      responseStatus: { code: 201 },
      requestObject: { metadata: { name: 'audited' }, data: { a: '1' } },
      responseObject: { kind: 'ConfigMap', metadata: { name: 'audited' } },
      annotations: { 'authorization.k8s.io/decision': 'allow' },
    });
    expect(complete?.['responseObject']).not.toHaveProperty('metadata.managedFields');
  });

  it('shows metadata alone where the policy says so, and nothing of what it leaves out', async () => {
    const made = await api.post('/api/v1/namespaces/default/secrets', {
      metadata: { name: 's' },
      data: { password: 'c2VjcmV0' },
    });
    const [event] = await eventsOf(made.headers['audit-id'], 1);
    expect(event).toMatchObject({
      level: 'Metadata',
      objectRef: { resource: 'secrets', name: 's' },
    });
    expect(JSON.stringify(event)).not.toContain('c2VjcmV0');
    expect(events().some((one) => String(one['requestURI']).startsWith('/readyz'))).toBe(false);
  });

  it('shows the body alone at the level Request, and nothing of a namespace that is left out', async () => {
    const body = { metadata: { name: 'l' }, spec: { limits: [] } };
    const made = await api.post('/api/v1/namespaces/default/limitranges', body);
    const [event] = await eventsOf(made.headers['audit-id'], 1);
    expect(event).toMatchObject({ stage: 'ResponseComplete', requestObject: body });
    expect(event).not.toHaveProperty('responseObject');
    await api.post('/api/v1/namespaces', { metadata: { name: 'quiet' } });
    const quiet = await api.post('/api/v1/namespaces/quiet/configmaps', {
      metadata: { name: 'q' },
    });
    expect(quiet.status).toBe(201);
    const after = await api.post(MAPS, { metadata: { name: 'after-quiet' } });
    await eventsOf(after.headers['audit-id'], 2);
    expect(events().filter(({ auditID }) => auditID === quiet.headers['audit-id'])).toEqual([]);
  });

  it('names a refusal, and credentials that nobody knows', async () => {
    const refused = await api.ask(MAPS, { headers: { authorization: 'Bearer jane' } });
    const [, event] = await eventsOf(refused.headers['audit-id'], 2);
    expect(event).toMatchObject({
      user: { username: 'jane' },
      responseStatus: { status: 'Failure', reason: 'Forbidden', code: 403 },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    });
    const unknown = await api.ask(MAPS, { headers: { authorization: 'Bearer nobody' } });
    const [failed] = await eventsOf(unknown.headers['audit-id'], 1);
    expect(failed).toMatchObject({
      stage: 'ResponseStarted',
      user: {},
      responseStatus: { code: 401, message: 'Authentication failed, attempted: bearer' },
    });
  });

  it('tells the impersonator from whom it acts as', async () => {
    const as = await api.ask(MAPS, { headers: { 'impersonate-user': 'ghost' } });
    const [event] = await eventsOf(as.headers['audit-id'], 2);
    expect(event).toMatchObject({
      user: { username: 'root' },
      impersonatedUser: { username: 'ghost' },
      authenticationMetadata: { impersonationConstraint: 'impersonate:user-info' },
    });
  });

  it('tells of a watch when it begins and when it ends', async () => {
    const watch = await api.watch(`${MAPS}?watch=true&timeoutSeconds=1`);
    expect(await watch.ended).toBe('end');
    const stages = await eventsOf(watch.response.headers['audit-id'], 3);
    expect(stages.map(({ stage }) => stage)).toEqual([
      'RequestReceived',
      'ResponseStarted',
      'ResponseComplete',
    ]);
  });

  it('carries what policies that only audit have to say', async () => {
    const admission = '/apis/admissionregistration.k8s.io/v1';
    await api.post(`${admission}/validatingadmissionpolicies`, {
      metadata: { name: 'counting' },
      spec: {
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [''],
              apiVersions: ['v1'],
              resources: ['configmaps'],
              operations: ['CREATE'],
            },
          ],
        },
        validations: [{ expression: 'object.data.size() < 2', message: 'too many' }],
        auditAnnotations: [{ key: 'count', valueExpression: 'string(object.data.size())' }],
      },
    });
    await api.post(`${admission}/validatingadmissionpolicybindings`, {
      metadata: { name: 'counting-all' },
      spec: { policyName: 'counting', validationActions: ['Audit'] },
    });
    let tried = 0;
    await eventually(async () => {
      tried += 1;
      const made = await api.post(MAPS, {
        metadata: { name: `counted-${tried}` },
        data: { a: '1', b: '2' },
      });
      expect(made.status).toBe(201);
      const all = await eventsOf(made.headers['audit-id'], 2);
      expect(all.at(-1)?.['annotations']).toMatchObject({ 'counting/count': '2' });
      const { annotations } = all.at(-1) as { annotations: Record<string, string> };
      const told = annotations['validation.policy.admission.k8s.io/validation_failure'] ?? '[]';
      expect(JSON.parse(told)).toEqual([
        {
          message: 'too many',
          policy: 'counting',
          binding: 'counting-all',
          expressionIndex: 0,
          validationActions: ['Audit'],
        },
      ]);
    });
    const { text } = await api.ask('/metrics');
    expect(text).toMatch(
      /apiserver_validating_admission_policy_check_total\{policy="counting",policy_binding="counting-all",error_type="no_error",enforcement_action="audit"\} [1-9]/,
    );
    expect(text).toMatch(/apiserver_audit_event_total [1-9]/);
    expect(text).toMatch(/apiserver_audit_level_total\{level="RequestResponse"\} [1-9]/);
  });

  it('sends batches to its webhook', async () => {
    await eventually(() => {
      const items = hook.seen.flatMap(({ json }) => json['items'] as Json[]);
      expect(items.length).toBeGreaterThan(5);
    });
    expect(hook.seen[0]).toMatchObject({
      path: '/audit',
      headers: { authorization: 'Bearer secret' },
      json: { kind: 'EventList', apiVersion: 'audit.k8s.io/v1' },
    });
    expect(readdirSync(folder)).toContain('audit.log');
  });
});
