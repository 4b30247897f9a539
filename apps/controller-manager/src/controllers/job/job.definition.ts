import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import type { Job, JobStatus, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';
import { Claimer, PodControl, StatusWriter, defineController } from '@orrery/controller';
import type { ControllerEntry } from '../../controller-entry.js';
import { ServerVersion } from '../../discovery/server-version.js';
import { createStaleSkips } from '../../stale-skips.js';
import { adoptersOf, mattersToAdopters, selectedBy } from '../../pods/adopters.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { TRACKED_BY_JOB, byJob, jobNameOf } from './job-pods.js';
import { JobReconciler, isForeign, managerOf } from './job.reconciler.js';
import { createJobMeters } from './job.metrics.js';

const toJob = (pod: Pod): ObjectKey[] => {
  const name = jobNameOf(pod);
  return name ? [{ namespace: pod.metadata.namespace ?? '', name }] : [];
};

/** The minor version from which on API servers keep status.uncountedTerminatedPods. */
const TRACKED_SINCE = 23;

export const jobController: ControllerEntry = {
  name: 'job-controller',
  definition: ({ informers, metrics }) =>
    defineController('job-controller')
      .concurrency(5)
      .onStale(createStaleSkips(metrics, 'job_controller', 'Job'))
      .for(resources.jobs)
      .watches(resources.pods, toJob)
      .watches(resources.pods, adoptersOf(informers.informer(resources.jobs).lister, selectedBy), {
        changed: mattersToAdopters,
      })
      .build(),
  create({ client, informers, events, clock, metrics }) {
    const pods = podInformer(informers);
    pods.addIndex(TRACKED_BY_JOB, byJob);
    const recorder = events('job-controller');
    const podClient = client.resource(resources.pods);
    const version = new ServerVersion(client);
    const jobs = informers.informer(resources.jobs);
    const meters = createJobMeters(metrics);
    pods.addHandler({
      onAdd: (pod) => {
        meters.podChanged(undefined, pod);
      },
      onUpdate: (pod, old) => {
        meters.podChanged(old, pod);
      },
      onDelete: (pod) => {
        meters.podChanged(pod, undefined);
      },
    });
    jobs.addHandler({
      onAdd: (job) => {
        if (isForeign(job)) meters.foreign(managerOf(job));
      },
    });
    const owners = client.resource<KubeObject>(resources.jobs as ResourceRef);
    return new JobReconciler(
      { jobs: jobs.lister, pods: pods.lister },
      {
        jobs: client.resource(resources.jobs),
        pods: podClient,
        podControl: new PodControl(client, recorder),
        claimer: new Claimer(podClient, resources.jobs, owners),
        status: new StatusWriter<JobStatus, Job>(client.resource(resources.jobs)),
        events: recorder,
      },
      clock,
      async () => ((await version.isAtLeast(TRACKED_SINCE)) ? 'tracked' : 'present'),
      meters,
    );
  },
};
