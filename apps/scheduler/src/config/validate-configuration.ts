import { isDeepStrictEqual } from 'node:util';
import { FieldPath, duplicate, invalid, required } from '@orrery/apimachinery';
import type { FieldError } from '@orrery/apimachinery';
import { EXTENSION_POINTS } from '../framework/extension-points.js';
import type { ExtenderConfig } from './extender-config.js';
import type { KubeSchedulerConfiguration, Profile } from './scheduler-configuration.js';

const REMOVED = ['AzureDiskLimits', 'CinderLimits', 'EBSLimits', 'GCEPDLimits'];
const VERSION = 'kubescheduler.config.k8s.io/v1';
const GONE = `was invalid in version "${VERSION}" (KubeSchedulerConfiguration is version "${VERSION}")`;

function checkPercentage(path: FieldPath, value: number | undefined): FieldError[] {
  return value !== undefined && (value < 0 || value > 100)
    ? [invalid(path, value, 'not in valid range [0-100]')]
    : [];
}

function checkProfile(path: FieldPath, profile: Profile): FieldError[] {
  const errors: FieldError[] = [];
  if (profile.schedulerName === '') errors.push(required(path.child('schedulerName')));
  errors.push(
    ...checkPercentage(path.child('percentageOfNodesToScore'), profile.percentageOfNodesToScore),
  );
  for (const point of EXTENSION_POINTS)
    for (const [i, { name }] of (profile.plugins?.[point]?.enabled ?? []).entries())
      if (REMOVED.includes(name))
        errors.push(
          invalid(path.child('plugins').child(point).child('enabled').index(i), name, GONE),
        );
  const seen = new Set<string>();
  for (const [i, { name }] of (profile.pluginConfig ?? []).entries()) {
    const at = path.child('pluginConfig').index(i);
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    if (REMOVED.includes(name)) errors.push(invalid(at, name, GONE));
  }
  return errors;
}

/** One queue serves all profiles, so they must sort alike. */
function checkQueueSort(path: FieldPath, profiles: readonly Profile[]): FieldError[] {
  const [first, ...others] = profiles;
  const sort = first?.plugins?.queueSort;
  const errors: FieldError[] = [];
  const count = sort?.enabled?.length ?? 0;
  if (count > 1)
    errors.push(
      invalid(
        path.index(0).child('plugins').child('queueSort').child('Enabled'),
        count,
        'only one queue sort plugin can be enabled',
      ),
    );
  for (const [i, { plugins }] of others.entries())
    if (!isDeepStrictEqual(sort, plugins?.queueSort))
      errors.push(
        invalid(
          path
            .index(i + 1)
            .child('plugins')
            .child('queueSort'),
          plugins?.queueSort ?? {},
          'must be the same for all profiles',
        ),
      );
  return errors;
}

function checkProfiles(profiles: readonly Profile[]): FieldError[] {
  const path = FieldPath.of('profiles');
  const errors: FieldError[] = [];
  const seen = new Map<string, number>();
  for (const [i, profile] of profiles.entries()) {
    errors.push(...checkProfile(path.index(i), profile));
    const known = seen.get(profile.schedulerName);
    if (known !== undefined)
      errors.push(
        duplicate(path.index(i).child('schedulerName'), `profiles[${known}].schedulerName`),
      );
    seen.set(profile.schedulerName, i);
  }
  return [...errors, ...checkQueueSort(path, profiles)];
}

const isExtended = (name: string): boolean =>
  /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)\/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name) &&
  !name.includes('kubernetes.io/');

function checkExtenders(extenders: readonly ExtenderConfig[]): FieldError[] {
  const path = FieldPath.of('extenders');
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { prioritizeVerb, weight = 0, managedResources }] of extenders.entries()) {
    if (prioritizeVerb && weight <= 0)
      errors.push(
        invalid(path.index(i).child('weight'), weight, 'must have a positive weight applied to it'),
      );
    for (const [j, { name }] of (managedResources ?? []).entries()) {
      const at = path.index(i).child('managedResources').index(j).child('name');
      if (!isExtended(name)) errors.push(invalid(at, name, 'is an invalid extended resource name'));
      if (seen.has(name))
        errors.push(invalid(at, name, 'duplicate extender managed resource name'));
      seen.add(name);
    }
  }
  const binders = extenders.filter(({ bindVerb }) => bindVerb).length;
  if (binders > 1)
    errors.push(
      invalid(
        path,
        `found ${binders} extenders implementing bind`,
        'only one extender can implement bind',
      ),
    );
  return errors;
}

/** What is wrong with a configuration whose fields have the right types (k8s scheduler/apis/config/validation). */
export function checkConfiguration(config: KubeSchedulerConfiguration): FieldError[] {
  const errors: FieldError[] = [];
  const { leaderElection: election, parallelism = 16 } = config;
  if (
    election?.leaderElect !== false &&
    election?.resourceLock &&
    election.resourceLock !== 'leases'
  )
    errors.push(
      invalid(
        FieldPath.of('leaderElection', 'resourceLock'),
        election.resourceLock,
        'resourceLock value must be "leases"',
      ),
    );
  if (parallelism <= 0)
    errors.push(
      invalid(
        FieldPath.of('parallelism'),
        parallelism,
        'should be an integer value greater than zero',
      ),
    );
  if (config.profiles && config.profiles.length > 0) errors.push(...checkProfiles(config.profiles));
  errors.push(
    ...checkPercentage(FieldPath.of('percentageOfNodesToScore'), config.percentageOfNodesToScore),
  );
  const { podInitialBackoffSeconds: initial = 1, podMaxBackoffSeconds: max = 10 } = config;
  if (initial <= 0)
    errors.push(
      invalid(FieldPath.of('podInitialBackoffSeconds'), initial, 'must be greater than 0'),
    );
  if (max < initial)
    errors.push(
      invalid(
        FieldPath.of('podMaxBackoffSeconds'),
        max,
        'must be greater than or equal to PodInitialBackoffSeconds',
      ),
    );
  return [...errors, ...checkExtenders(config.extenders ?? [])];
}
