// Probes of the suite run programs and give them one second, which a busy machine does not have: an admission policy in the
// cluster under test gives them more.
import { apply } from './apply.mjs';

const NAME = 'patient-probes';

const manifests = (seconds) => ({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: NAME },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
        },
        matchConditions: [
          {
            name: 'runs-a-program-until-ready',
            expression:
              'object.spec.containers.exists(c, has(c.readinessProbe) && has(c.readinessProbe.exec))',
          },
        ],
        mutations: [
          {
            patchType: 'JSONPatch',
            jsonPatch: {
              expression: `lists.range(object.spec.containers.size())
                .filter(i, has(object.spec.containers[i].readinessProbe))
                .map(i, JSONPatch{
                  op: "add",
                  path: "/spec/containers/" + string(i) + "/readinessProbe/timeoutSeconds",
                  value: ${seconds}
                })`,
            },
          },
        ],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: NAME },
      spec: { policyName: NAME },
    },
  ],
});

/** Readiness probes of pods that are made from now on may take that long. */
export const bePatient = (kubeconfig, seconds) => apply(kubeconfig, manifests(seconds));
