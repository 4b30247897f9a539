import type { Node, Pod } from '@orrery/api';
import { deepEqual } from '@orrery/apimachinery';
import { newOf, oldOf } from '../../framework/cluster-event.js';
import { StateKey } from '../../framework/cycle-state.js';
import type { PluginEntry } from '../../framework/plugin.js';
import { skip, success, unresolvable } from '../../framework/status.js';

const NAME = 'NodeDeclaredFeatures';

/** What a node must say that it does, and which pods need it (k8s component-helpers/nodedeclaredfeatures/features). */
const FEATURES: readonly (readonly [name: string, needs: (spec: Pod['spec']) => boolean])[] = [
  [
    'RestartAllContainersOnContainerExits',
    ({ containers, initContainers = [] }) =>
      [...containers, ...initContainers].some((container) =>
        container.restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
      ),
  ],
  [
    'UserNamespacesHostNetworkSupport',
    ({ hostNetwork, hostUsers }) => hostNetwork === true && hostUsers === false,
  ],
];

/** Pure: the features that a pod needs. */
export const featuresOf = ({ spec }: Pod): string[] =>
  FEATURES.filter(([, needs]) => needs(spec)).map(([name]) => name);

const required = new StateKey<readonly string[]>(NAME);

/** A pod that needs what kubelets of some versions do goes to nodes that say they do it. */
export const nodeDeclaredFeatures: PluginEntry = {
  name: NAME,
  create: () => ({
    name: NAME,
    events: [
      {
        on: ['NodeAdd', 'NodeDeclaredFeatures'],
        helps: (_pod, event) => {
          const old = oldOf<Node>(event)?.status;
          return (
            !old || !deepEqual(old.declaredFeatures, newOf<Node>(event).status?.declaredFeatures)
          );
        },
      },
      {
        on: ['PodUpdate'],
        helps: (_pod, event) => {
          const old = oldOf<Pod>(event);
          return !old || !deepEqual(featuresOf(old), featuresOf(newOf(event)));
        },
      },
    ],
    preFilter(state, { pod }) {
      const features = featuresOf(pod);
      state.set(required, features);
      return { status: features.length === 0 ? skip : success };
    },
    filter(state, _pod, { node }) {
      const declared = node?.status?.declaredFeatures ?? [];
      return (state.get(required) ?? []).every((feature) => declared.includes(feature))
        ? success
        : unresolvable("node(s) didn't match Pod's required features");
    },
  }),
};
