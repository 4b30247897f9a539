import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '@orrery/api';
import type { Clock } from '@orrery/component';
import type { ResourceStore } from '@orrery/registry';
import { ownWrite } from '../../rest/field-manager.js';
import { clusterRoleBindings, namespaceRoleBindings, namespaceRoles } from './bindings.js';
import { systemClusterRoles } from './cluster-roles.js';
import { controllerClusterRoles } from './controller-roles.js';
import { reconcileBinding, reconcileRole } from './reconcile.js';
import { userClusterRoles } from './user-roles.js';

const GROUP = 'rbac.authorization.k8s.io';
/** Writes in flight at start: enough to hide round trips, few enough to leave etcd room. */
const CONCURRENCY = 8;

/** A restart compares with what is in memory; whatever it writes, etcd compares again. */
const FROM_MEMORY = { resourceVersion: '0' };

export interface PolicyInstaller {
  store(group: string, version: string, plural: string): ResourceStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Task {
  readonly plural: string;
  readonly wanted: KubeObject;
  readonly reconcile: (stored: KubeObject) => KubeObject | undefined;
}

const roleTask = (plural: string, wanted: ClusterRole | Role): Task => ({
  plural,
  wanted,
  reconcile: (stored) => reconcileRole(stored as Role, wanted as Role),
});
const bindingTask = (plural: string, wanted: ClusterRoleBinding | RoleBinding): Task => ({
  plural,
  wanted,
  reconcile: (stored) => reconcileBinding(stored as RoleBinding, wanted as RoleBinding),
});

async function ensure(
  installer: PolicyInstaller,
  { plural, wanted, reconcile }: Task,
): Promise<void> {
  const store = installer.store(GROUP, 'v1', plural);
  const own = ownWrite(installer, store.kind);
  const { namespace, name = '' } = wanted.metadata;
  const place = namespace ? { namespace } : {};
  try {
    const stored = (await store.get(namespace, name, FROM_MEMORY)).object;
    if (!reconcile(stored)) return;
    await store.update(
      (current) => (current && reconcile(current)) ?? structuredClone(current ?? wanted),
      {
        ...place,
        name,
        ...own,
      },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await store.create(structuredClone(wanted), { ...place, ...own }).catch((raced: unknown) => {
      if (!isAlreadyExists(raced)) throw raced;
    });
  }
}

async function ensureAll(installer: PolicyInstaller, tasks: readonly Task[]): Promise<void> {
  const queue = tasks.values();
  const worker = async (): Promise<void> => {
    for (const task of queue) await ensure(installer, task);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/** Creates or completes the roles and bindings that every cluster has (post-start hook rbac/bootstrap-roles). */
export async function installBootstrapPolicy(installer: PolicyInstaller): Promise<void> {
  const roles = [...systemClusterRoles, ...userClusterRoles, ...controllerClusterRoles];
  await ensureAll(installer, [
    ...roles.map((role) => roleTask('clusterroles', role)),
    ...clusterRoleBindings.map((binding) => bindingTask('clusterrolebindings', binding)),
    ...namespaceRoles.map((role) => roleTask('roles', role)),
    ...namespaceRoleBindings.map((binding) => bindingTask('rolebindings', binding)),
  ]);
}
