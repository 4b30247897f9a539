import type { Actor, ObjectName } from './model.js';

/** The program of a user agent: `kubectl/v1.36.4 (linux/amd64)` is kubectl. */
export const programOf = ({ agent = '' }: Actor): string => /^[^/\s(]*/.exec(agent)?.[0] ?? '';

const ACCOUNT = 'system:serviceaccount:';
const NODE = 'system:node:';
const PEOPLE = new Set(['system:admin', 'system:anonymous']);
const COMPONENT = /^(kube-|kubelet$|cloud-controller|etcd)|(controller|operator|scheduler)/;

/** Whether this writer acts by itself: a component of the cluster, or a program with an account of its own. */
export function isComponent(actor: Actor): boolean {
  const { user } = actor;
  if (COMPONENT.test(programOf(actor))) return true;
  return user.startsWith('system:') && !PEOPLE.has(user);
}

function toolOf(actor: Actor): string {
  const { manager = '' } = actor;
  const program = programOf(actor);
  const words = /^kubectl-(.+)$/.exec(manager)?.[1];
  if (words) return `kubectl ${words.replace('client-side-', '').replaceAll('-', ' ')}`;
  return program || manager;
}

function componentText(actor: Actor): string {
  const { user, controller } = actor;
  const program = programOf(actor);
  if (user.startsWith(NODE)) return `${program || 'kubelet'} on ${user.slice(NODE.length)}`;
  const name = program || user;
  if (controller && !name.endsWith(controller)) return `${controller} (${name})`;
  if (!user.startsWith(ACCOUNT)) return name;
  const account = user.slice(ACCOUNT.length).replace(':', '/');
  return program ? `${program} (${account})` : account;
}

/** Who wrote: `kubernetes-admin with kubectl create`, `replicaset-controller (kube-controller-manager)`. */
export function describeActor(actor: Actor | undefined): string {
  if (!actor) return 'unknown';
  if (isComponent(actor)) return componentText(actor);
  const tool = toolOf(actor);
  return tool ? `${actor.user} with ${tool}` : actor.user;
}

/** `Deployment web`, `Pod web-0 in shop`; a key of no kind as it is. */
export function describeObject({ kind, name, namespace }: ObjectName, home = 'default'): string {
  const what = kind === '' ? name : `${kind} ${name}`;
  return namespace && namespace !== home ? `${what} in ${namespace}` : what;
}
