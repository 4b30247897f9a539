import type { KubeObject, ObjectKey } from '@orrery/apimachinery';
import type { Job, JobStatus, Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';
import { Claimer, PodControl, StatusWriter, defineController } from '@orrery/controller';
import type { ControllerEntry } from '../../controller-entry.js';
import { ServerVersion } from '../../discovery/server-version.js';
import { adoptersOf, mattersToAdopters, selectedBy } from '../../pods/adopters.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { TRACKED_BY_JOB, byJob, jobNameOf } from './job-pods.js';
import { JobReconciler } from './job.reconciler.js';

const toJob = (pod: Pod): ObjectKey[] => {
  const name = jobNameOf(pod);
  return name ? [{ namespace: pod.metadata.namespace ?? '', name }] : [];
};

/** The minor version from which on API servers keep status.uncountedTerminatedPods. */
const TRACKED_SINCE = 23;

export const jobController: ControllerEntry = {
  name: 'job-controller',
  definition: ({ informers }) =>
    defineController('job-controller')
      .concurrency(5)
      .for(resources.jobs)
      .watches(resources.pods, toJob)
      .watches(resources.pods, adoptersOf(informers.informer(resources.jobs).lister, selectedBy), {
        changed: mattersToAdopters,
      })
      .build(),
  create({ client, informers, events, clock }) {
    const pods = podInformer(informers);
    pods.addIndex(TRACKED_BY_JOB, byJob);
    const recorder = events('job-controller');
    const podClient = client.resource(resources.pods);
    const version = new ServerVersion(client);
    const owners = client.resource<KubeObject>(resources.jobs as ResourceRef);
    return new JobReconciler(
      { jobs: informers.informer(resources.jobs).lister, pods: pods.lister },
      {
        jobs: client.resource(resources.jobs),
        pods: podClient,
        podControl: new PodControl(client, recorder),
        claimer: new Claimer(podClient, resources.jobs, owners),
        status: new StatusWriter<JobStatus, Job>(client.resource(resources.jobs)),
      },
      recorder,
      clock,
      async () => ((await version.isAtLeast(TRACKED_SINCE)) ? 'tracked' : 'present'),
    );
  },
};
