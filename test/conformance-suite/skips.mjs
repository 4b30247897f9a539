// Specs that are left out, each with the reason: all of them, or those of suites before a minor version of Kubernetes.
const SKIPS = [
  {
    spec: '[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed',
    before: 21,
    reason:
      'changes the note of an event by events.k8s.io/v1; refused since 1.21, where the check no longer compares an event with itself',
  },
  {
    spec: 'Should be able to support the 1.17 Sample API Server using the current Aggregator',
    reason: 'runs the program of the image sample-apiserver, which cannot be pulled',
  },
  {
    spec: 'Job should run a job to completion when tasks sometimes fail and are locally restarted',
    reason: "needs $RANDOM of busybox's shell; a container's shell is that of this machine",
  },
  {
    spec: 'read only busybox container should not write to root filesystem',
    reason: "expects the words of busybox's shell; a container's shell is that of this machine",
  },
  {
    spec: '[sig-apps] Job should apply changes to a job status',
    before: 32,
    reason: 'changes the start of a Job that runs, which is refused since 1.32',
  },
  {
    spec: '[sig-network] Services should complete a service status lifecycle',
    before: 29,
    reason:
      'gives a Service without a load balancer the address of one, which is refused since 1.29',
  },
  ...['poststart', 'prestop'].flatMap((event) =>
    ['http', 'https'].map((scheme) => ({
      spec: `Container Lifecycle Hook when create a pod with lifecycle hook should execute ${event} ${scheme} hook properly`,
      since: 25,
      before: 34,
      reason:
        'gives a hook a host in a namespace of the level baseline, which Pod Security refuses since 1.34',
    })),
  ),
];

/** Why a spec of the suite of Kubernetes 1.`minor` is left out; undefined when it is not. */
export const skipReason = (name, minor) =>
  SKIPS.find(
    ({ spec, since = 0, before = Infinity }) =>
      name.includes(spec) && minor >= since && minor < before,
  )?.reason;
