// What controllers of workloads must do, whoever runs them.
import { container, eventually, expectThat, podSpec, template, workload } from './kube.mjs';

const ready = (count) => (object) => object.status?.readyReplicas === count;
const namesOf = (items) => items.map(({ metadata }) => metadata.name).sort();
const conditionOf = ({ status }, type) =>
  (status?.conditions ?? []).find((condition) => condition.type === type);

async function deploymentRollout(kube) {
  await kube.apply(workload('Deployment', 'web', { replicas: 3 }));
  await kube.reaches('deploy/web', ready(3));
  await kube.run('set image deploy/web c=httpd');
  await kube.run('rollout status deploy/web --timeout=60s');
  const sets = await kube.reaches(
    'rs',
    (items) => items.filter(({ spec }) => spec.replicas === 0).length === 1,
  );
  const revisions = sets.map(
    ({ metadata }) => metadata.annotations['deployment.kubernetes.io/revision'],
  );
  expectThat(revisions.sort().join() === '1,2', revisions);
  await kube.run('rollout undo deploy/web');
  await kube.run('rollout status deploy/web --timeout=60s');
  const { spec } = await kube.get('deploy/web');
  expectThat(spec.template.spec.containers[0].image === 'nginx', 'undo left the new image');
  const events = await kube.reaches('events', (items) =>
    items.some(({ reason }) => reason === 'ScalingReplicaSet'),
  );
  expectThat(
    events.some(({ reason }) => reason === 'SuccessfulCreate'),
    namesOf(events),
  );
}

async function deploymentRecreate(kube) {
  await kube.apply(workload('Deployment', 'web', { replicas: 2, strategy: { type: 'Recreate' } }));
  await kube.reaches('deploy/web', ready(2));
  await kube.run('set image deploy/web c=httpd');
  await kube.run('rollout status deploy/web --timeout=60s');
  await kube.run('scale deploy/web --replicas=0');
  await kube.gone('pods -l app=web');
}

async function progressDeadline(kube) {
  const stuck = { nodeSelector: { no: 'where' } };
  await kube.apply(workload('Deployment', 'web', { progressDeadlineSeconds: 2 }, stuck));
  const done = (object) =>
    conditionOf(object, 'Progressing')?.reason === 'ProgressDeadlineExceeded';
  await kube.reaches('deploy/web', done, 40_000);
}

async function replicaSetAdopts(kube) {
  await kube.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'orphan', labels: { app: 'web' } },
    spec: podSpec(),
  });
  await kube.apply(workload('ReplicaSet', 'web', { replicas: 2 }));
  await kube.reaches('rs/web', ready(2));
  const { metadata } = await kube.get('pod/orphan');
  expectThat(metadata.ownerReferences?.[0]?.kind === 'ReplicaSet', 'the orphan was not adopted');
  await kube.run('label pod orphan app=other --overwrite');
  await eventually(async () => {
    const released = await kube.get('pod/orphan');
    expectThat(released.metadata.ownerReferences === undefined, 'the pod was not released');
  });
  await kube.reaches('rs/web', ready(2));
}

async function replicationController(kube) {
  const spec = { replicas: 2, selector: { app: 'web' }, template: template({ app: 'web' }) };
  await kube.apply({
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'web' },
    spec,
  });
  await kube.reaches('rc/web', ready(2));
  await kube.run('delete pods -l app=web --wait=false');
  await eventually(async () => {
    const pods = await kube.list('pods -l app=web');
    const live = pods.filter(({ metadata }) => !metadata.deletionTimestamp);
    expectThat(live.length === 2, `${live.length} pods`);
  });
}

async function statefulSet(kube) {
  const headless = { clusterIP: 'None', selector: { app: 'db' }, ports: [{ port: 80 }] };
  await kube.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'db' }, spec: headless });
  await kube.apply(workload('StatefulSet', 'db', { replicas: 3, serviceName: 'db' }));
  await kube.reaches('sts/db', ready(3), 90_000);
  const pods = await kube.list('pods -l app=db');
  expectThat(namesOf(pods).join() === 'db-0,db-1,db-2', namesOf(pods));
  const born = pods
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(({ metadata }) => metadata.creationTimestamp);
  expectThat(born.join() === [...born].sort().join(), born);
  await kube.run('set image sts/db c=httpd');
  await kube.run('rollout status sts/db --timeout=90s');
  await kube.run('scale sts/db --replicas=1');
  await eventually(async () => {
    const left = namesOf(await kube.list('pods -l app=db'));
    expectThat(left.join() === 'db-0', left);
  });
  expectThat((await kube.list('controllerrevisions')).length === 2, 'not two revisions');
}

async function daemonSet(kube) {
  const nodes = (await kube.list('nodes')).filter(
    ({ spec }) => !(spec.taints ?? []).some(({ effect }) => effect === 'NoSchedule'),
  );
  await kube.apply(workload('DaemonSet', 'agent', {}));
  await kube.reaches('ds/agent', ({ status }) => status?.numberReady === nodes.length);
  const pods = await kube.list('pods -l app=agent');
  expectThat(
    new Set(pods.map(({ spec }) => spec.nodeName)).size === nodes.length,
    'two on one node',
  );
  await kube.run('set image ds/agent c=httpd');
  await kube.run('rollout status ds/agent --timeout=60s');
  await kube.run('delete ds agent');
  await kube.gone('pods -l app=agent');
}

const jobOf = (name, command, spec) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: {
    template: {
      spec: podSpec({ restartPolicy: 'Never', containers: [{ ...container('busybox'), command }] }),
    },
    ...spec,
  },
});

async function job(kube) {
  await kube.apply(jobOf('work', ['true'], { completions: 3, parallelism: 2 }));
  const done = await kube.reaches(
    'job/work',
    (one) => conditionOf(one, 'Complete')?.status === 'True',
    90_000,
  );
  expectThat(done.status.succeeded === 3, done.status);
  await kube.run('delete job work');
  await kube.gone('pods -l job-name=work');
}

async function jobFails(kube) {
  await kube.apply(jobOf('bad', ['false'], { backoffLimit: 0 }));
  const failed = await kube.reaches(
    'job/bad',
    (one) => conditionOf(one, 'Failed')?.status === 'True',
    90_000,
  );
  expectThat(conditionOf(failed, 'Failed').reason === 'BackoffLimitExceeded', failed.status);
}

async function cronJob(kube, { hasCronJobV1 }) {
  const { spec } = jobOf('x', ['true'], {});
  const apiVersion = hasCronJobV1 ? 'batch/v1' : 'batch/v1beta1';
  await kube.apply({
    apiVersion,
    kind: 'CronJob',
    metadata: { name: 'tick' },
    spec: { schedule: '* * * * *', jobTemplate: { spec } },
  });
  await kube.reaches(
    'jobs',
    (items) => items.some(({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'CronJob'),
    90_000,
  );
  const cron = await kube.reaches(
    'cronjob/tick',
    ({ status }) => status?.lastScheduleTime !== undefined,
  );
  expectThat(Date.parse(cron.status.lastScheduleTime) % 60_000 === 0, cron.status);
  await kube.run('delete cronjob tick');
  await kube.gone('jobs');
}

export const workloadChecks = [
  { name: 'Deployment: rollout, undo, events', run: deploymentRollout },
  { name: 'Deployment: Recreate, scale to 0', run: deploymentRecreate },
  { name: 'Deployment: progress deadline', run: progressDeadline },
  { name: 'ReplicaSet: adopts and releases', run: replicaSetAdopts },
  { name: 'ReplicationController', run: replicationController },
  { name: 'StatefulSet: order, rollout, scale', run: statefulSet },
  { name: 'DaemonSet: one a node, rollout', run: daemonSet },
  { name: 'Job: completions', run: job, needsProcesses: false },
  { name: 'Job: backoff limit', run: jobFails, needsProcesses: true },
  { name: 'CronJob', run: cronJob },
];
