import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid } from '@orrery/apimachinery';
import { KUBERNETES_MINOR } from '@orrery/component';

export const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof LEVELS)[number];

/** A level of the Pod Security Standards as of a minor version of Kubernetes 1.x. */
export interface LevelVersion {
  readonly level: Level;
  readonly version: 'latest' | number;
}

export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

export const PREFIX = 'pod-security.kubernetes.io/';

export const showLevel = ({ level, version }: LevelVersion): string =>
  `${level}:${version === 'latest' ? version : `v1.${version}`}`;

/** The minor version whose checks count. */
export const minorOf = ({ version }: LevelVersion): number => {
  const newest = Number(KUBERNETES_MINOR);
  return version === 'latest' ? newest : Math.min(version, newest);
};

export const isPrivileged = (policy: Policy): boolean =>
  [policy.enforce, policy.audit, policy.warn].every(({ level }) => level === 'privileged');

export const parseLevel = (text: string): Level | undefined =>
  LEVELS.find((level) => level === text);

export function parseVersion(text: string): 'latest' | number | undefined {
  if (text === 'latest') return 'latest';
  const [, minor] = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(text) ?? [];
  return minor === undefined ? undefined : Number(minor);
}

export const isStricter = (a: Level, b: Level): boolean => LEVELS.indexOf(a) > LEVELS.indexOf(b);

export const sameLevel = (a: LevelVersion, b: LevelVersion): boolean =>
  a.level === b.level && a.version === b.version;

/**
 * The policy that a namespace's labels ask for, with what is wrong about them
 * (k8s pod-security-admission api/helpers.go:PolicyToEvaluate).
 */
export function policyOf(
  labels: Readonly<Record<string, string>>,
  defaults: Policy,
): { readonly policy: Policy; readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = [];
  const path = FieldPath.of('metadata', 'labels');
  const refuse = (mode: string, value: string, detail: string): void => {
    errors.push(invalid(path.key(`${PREFIX}${mode}`), value, detail));
  };
  const read = (mode: 'enforce' | 'audit' | 'warn', whenBad: Level): LevelVersion => {
    let { level, version } = defaults[mode];
    const askedLevel = labels[`${PREFIX}${mode}`];
    if (askedLevel !== undefined) {
      const parsed = parseLevel(askedLevel);
      if (!parsed) refuse(mode, askedLevel, `must be one of ${LEVELS.join(', ')}`);
      level = parsed ?? whenBad;
    }
    const askedVersion = labels[`${PREFIX}${mode}-version`];
    if (askedVersion !== undefined) {
      const parsed = parseVersion(askedVersion);
      if (parsed === undefined)
        refuse(`${mode}-version`, askedVersion, 'must be "latest" or "v1.x"');
      version = parsed ?? 'latest';
    }
    return { level, version };
  };
  const enforce = read('enforce', 'restricted');
  const audit = read('audit', 'privileged');
  let warn = read('warn', 'privileged');
  const asked = labels[`${PREFIX}enforce`];
  const isFollowing =
    labels[`${PREFIX}warn`] === undefined && asked !== undefined && parseLevel(asked) !== undefined;
  if (isFollowing && isStricter(enforce.level, warn.level)) {
    const keepsVersion = labels[`${PREFIX}warn-version`] !== undefined;
    warn = { level: enforce.level, version: keepsVersion ? warn.version : enforce.version };
  }
  return { policy: { enforce, audit, warn }, errors };
}
