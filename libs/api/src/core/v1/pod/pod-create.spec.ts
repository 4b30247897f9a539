import { describe, expect, it } from '@jest/globals';
import type { Pod } from '../../../types.js';
import { context, objectOf, updateRefusals } from '../../../findings.fixture.js';
import { PodKind } from './pod.kind.js';

/** A pod as it is stored, and what its writer is told. */
function create(change: object): { pod: Pod; warnings: string[] } {
  const warnings: string[] = [];
  const pod = objectOf(PodKind, change);
  const told = { ...context, warn: (text: string) => void warnings.push(text) };
  PodKind.strategy.prepareForCreate?.(pod, told);
  expect(PodKind.strategy.validate?.(pod, told)).toEqual([]);
  return { pod, warnings };
}

const labels = { app: 'a', tier: 'b' };
const term = {
  topologyKey: 'zone',
  labelSelector: { matchLabels: { x: 'y' } },
  matchLabelKeys: ['app', 'absent'],
  mismatchLabelKeys: ['tier'],
};
const merged = {
  ...term,
  labelSelector: {
    matchLabels: { x: 'y' },
    matchExpressions: [
      { key: 'app', operator: 'In', values: ['a'] },
      { key: 'tier', operator: 'NotIn', values: ['b'] },
    ],
  },
};
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

describe('keys of labels of a new pod', () => {
  it('become terms of the selectors of its affinity', () => {
    const affinity = (one: object): object =>
      JSON.parse(
        JSON.stringify({
          podAffinity: {
            [REQUIRED]: [one],
            [PREFERRED]: [{ weight: 1, podAffinityTerm: one }],
          },
          podAntiAffinity: { [REQUIRED]: [one] },
        }),
      ) as object;
    const { pod } = create({ metadata: { labels }, spec: { affinity: affinity(term) } });
    expect(pod.spec.affinity).toEqual(affinity(merged));
  });

  it('become terms of the selectors of its spreading', () => {
    const spread = (labelSelector: object): object => ({
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      matchLabelKeys: ['app'],
      labelSelector,
    });
    const { pod } = create({
      metadata: { labels },
      spec: { topologySpreadConstraints: [spread({})] },
    });
    expect(pod.spec.topologySpreadConstraints).toEqual([
      spread({ matchExpressions: [{ key: 'app', operator: 'In', values: ['a'] }] }),
    ]);
  });
});

const ARMOR = 'container.apparmor.security.beta.kubernetes.io/web';
const DEPRECATED = `metadata.annotations[${ARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead`;

describe('an AppArmor profile in an annotation', () => {
  const annotated = (profile: string, spec: object = {}): object => ({
    metadata: { annotations: { [ARMOR]: profile } },
    spec: { containers: [{ name: 'web', image: 'i' }], ...spec },
  });

  it.each<[string, object]>([
    ['runtime/default', { type: 'RuntimeDefault' }],
    ['unconfined', { type: 'Unconfined' }],
    ['localhost/mine', { type: 'Localhost', localhostProfile: 'mine' }],
  ])('%s becomes the field', (profile, want) => {
    const { pod, warnings } = create(annotated(profile));
    expect(pod.spec.containers[0]?.securityContext?.appArmorProfile).toEqual(want);
    expect(warnings).toEqual([DEPRECATED]);
  });

  it('that the pod has as its own is not repeated', () => {
    const securityContext = { appArmorProfile: { type: 'RuntimeDefault' } };
    const { pod, warnings } = create(annotated('runtime/default', { securityContext }));
    expect(pod.spec.containers[0]?.securityContext).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('that names no file stays an annotation', () => {
    const { pod, warnings } = create(annotated('localhost/'));
    expect(pod.spec.containers[0]?.securityContext).toBeUndefined();
    expect(warnings).toEqual([DEPRECATED]);
  });

  it('means nothing on Windows', () => {
    const { pod, warnings } = create(annotated('unconfined', { os: { name: 'windows' } }));
    expect(pod.spec.containers[0]?.securityContext).toBeUndefined();
    expect(warnings).toEqual([]);
  });
});

it('a pod is warned of a name that is no label', () => {
  expect(create({ metadata: { name: 'web.a' } }).warnings).toEqual([
    expect.stringMatching(
      /^metadata\.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: \[must not contain dots\]$|: \[a lowercase RFC 1123 label must .*\]$/,
    ),
  ]);
});

describe('an update of the status', () => {
  const report = (old: object, now: object): Pod => {
    const stored = objectOf(PodKind, { status: { phase: 'Running', ...old } });
    const pod = objectOf(PodKind, { status: { phase: 'Running', ...now } });
    PodKind.status?.prepareForUpdate?.(pod, stored, context);
    return pod;
  };

  it('keeps generations that it does not tell', () => {
    const condition = { type: 'Ready', status: 'True' };
    const pod = report(
      { observedGeneration: 3, conditions: [{ ...condition, observedGeneration: 2 }] },
      { conditions: [condition] },
    );
    expect(pod.status).toMatchObject({
      observedGeneration: 3,
      conditions: [{ ...condition, observedGeneration: 2 }],
    });
  });

  it('may leave the class out, but not change it', () => {
    expect(report({ qosClass: 'Burstable' }, {}).status?.qosClass).toBe('Burstable');
    expect(
      updateRefusals(
        PodKind,
        { status: { qosClass: 'Burstable' } },
        { status: { qosClass: 'Guaranteed' } },
        'status',
      ),
    ).toEqual(['status.qosClass: Invalid value: "Guaranteed": field is immutable']);
  });

  it('is warned of addresses in old forms', () => {
    const warnings: string[] = [];
    const stored = objectOf(PodKind, { status: { phase: 'Running' } });
    const ip = 'fe::0:1';
    const pod = objectOf(PodKind, {
      status: { phase: 'Running', podIPs: [{ ip }], hostIP: ip, hostIPs: [{ ip }] },
    });
    const told = { ...context, warn: (text: string) => void warnings.push(text) };
    PodKind.status?.prepareForUpdate?.(pod, stored, told);
    expect(PodKind.status?.validateUpdate?.(pod, stored, told)).toEqual([]);
    expect(warnings.map((text) => text.split(': ')[0])).toEqual([
      'status.podIPs[0].ip',
      'status.hostIPs[0].ip',
    ]);
  });
});
