// Specs that are left out, each with the reason.
const SKIPS = [
  {
    spec: '[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed',
    onlyGinkgo1: true,
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
];

/** Why a spec is left out; undefined when it is not. */
export const skipReason = (name, isGinkgo2) =>
  SKIPS.find(({ spec, onlyGinkgo1 }) => name.includes(spec) && !(onlyGinkgo1 && isGinkgo2))?.reason;
