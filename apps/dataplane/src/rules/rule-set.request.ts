/** The form of what kube-proxies send. */
import { FRONTEND_KINDS, HOST_BACKENDS, POLICY_NAMES } from '@orrery/dataplane';
import type { RuleChanges, RuleSet } from '@orrery/dataplane';
import type { PolicySet } from '@orrery/network-policy';
import {
  ADDRESS,
  ID,
  PORT,
  TEXT,
  WEIGHT,
  atLeast,
  list,
  object,
  oneOf,
  problemsOf,
} from './form.js';

const BACKENDS = list(
  object({ address: ADDRESS, port: PORT, weight: WEIGHT }, { host: oneOf(HOST_BACKENDS) }),
);
const TEXTS = list(TEXT);

const RULE = object(
  {
    id: ID,
    protocol: oneOf(['TCP', 'UDP']),
    frontends: list(object({ address: ADDRESS, port: PORT, kind: oneOf(FRONTEND_KINDS) }), 1),
    policy: oneOf(POLICY_NAMES),
    affinityMs: atLeast(0),
    backends: BACKENDS,
  },
  {
    inside: object({ sources: TEXTS, backends: BACKENDS }),
    allowedSources: TEXTS,
    maxConnections: atLeast(1),
    udpIdleMs: atLeast(1),
  },
);

const REPLACEMENT = object({ sources: TEXTS, rules: list(RULE) });
const CHANGES = object({ set: list(RULE), remove: TEXTS });

/** `PUT /nodes/<node>/rules`: everything this node's kube-proxy wants; texts are what is wrong. */
export function decodeReplacement(body: unknown): Omit<RuleSet, 'node'> | readonly string[] {
  const problems = problemsOf(REPLACEMENT, body);
  return problems.length > 0 ? problems : (body as Omit<RuleSet, 'node'>);
}

/** `PATCH /nodes/<node>/rules`: what changed since; texts are what is wrong. */
export function decodeChanges(body: unknown): RuleChanges | readonly string[] {
  const problems = problemsOf(CHANGES, body);
  return problems.length > 0 ? problems : (body as RuleChanges);
}

const PLACES = list(atLeast(0));
const RANGE = object(
  { protocol: oneOf(['TCP', 'UDP', 'SCTP']) },
  { from: atLeast(0), to: atLeast(0) },
);
const POLICIES = object({
  rules: list(
    object(
      {},
      {
        ports: list(RANGE),
        addresses: TEXTS,
        blocks: list(object({ cidr: TEXT, except: TEXTS })),
      },
    ),
  ),
  pods: list(object({ pod: TEXT, addresses: TEXTS }, { ingress: PLACES, egress: PLACES })),
  nodes: list(object({ addresses: TEXTS, podCidrs: TEXTS })),
});

/** `PUT /policies`: the NetworkPolicies in force; texts are what is wrong. */
export function decodePolicies(body: unknown): PolicySet | readonly string[] {
  const problems = problemsOf(POLICIES, body);
  return problems.length > 0 ? problems : (body as PolicySet);
}
