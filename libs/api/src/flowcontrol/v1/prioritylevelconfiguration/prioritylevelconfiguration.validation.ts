import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../../../gen/types/flowcontrol.v1.js';
import { given, when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { isDeepEqual } from '../../../meta/list.js';
import { mandatoryPriorityLevels } from '../bootstrap/bootstrap-objects.js';
import { validateFlowConditions } from '../flowschema/flowschema.validation.js';

const SPEC = FieldPath.of('spec');
const MAX_QUEUES = 10_000_000;
/** k8s apiserver pkg/util/shufflesharding: the hash has so many bits to deal a hand from. */
const MAX_HASH_BITS = 60;

const positive = (value: number | undefined, path: Path): FieldError[] =>
  when((value ?? 0) <= 0, invalid(path, value ?? 0, 'must be positive'));

const percent = (value: number, path: Path): FieldError[] =>
  when(value < 0 || value > 100, invalid(path, value, 'must be between 0 and 100, inclusive'));

function validateHand(queues: number, hand: number, path: Path): FieldError[] {
  if (hand <= 0) return positive(hand, path);
  if (hand > queues) return [invalid(path, hand, `should not be greater than queues (${queues})`)];
  return when(
    Math.ceil(Math.log2(queues) * hand) > MAX_HASH_BITS,
    invalid(
      path,
      hand,
      `required entropy bits of deckSize ${queues} and handSize ${hand} should not be greater than ${MAX_HASH_BITS}`,
    ),
  );
}

function validateQueuing(queuing: QueuingConfiguration, path: Path): FieldError[] {
  const { queues = 0, handSize = 0, queueLengthLimit } = queuing;
  return [
    ...positive(queueLengthLimit, path.child('queueLengthLimit')),
    ...positive(queues, path.child('queues')),
    ...when(
      queues > MAX_QUEUES,
      invalid(path.child('queues'), queues, `must not be greater than ${MAX_QUEUES}`),
    ),
    ...validateHand(queues, handSize, path.child('handSize')),
  ];
}

function validateResponse(response: Partial<LimitResponse>, path: Path): FieldError[] {
  const queuing = path.child('queuing');
  if (response.type === 'Reject') {
    return when(
      Boolean(response.queuing),
      forbidden(queuing, 'must be nil if limited.limitResponse.type is not Limited'),
    );
  }
  if (response.type !== 'Queue') {
    return [notSupported(path.child('type'), response.type ?? '', ['Queue', 'Reject'])];
  }
  return response.queuing
    ? validateQueuing(response.queuing, queuing)
    : [required(queuing, 'must not be empty if limited.limitResponse.type is Limited')];
}

const validateShares = (shares: number | undefined, path: Path): FieldError[] =>
  when(
    (shares ?? 0) < 0,
    invalid(path.child('nominalConcurrencyShares'), shares, 'must be a non-negative integer'),
  );

const validateExempt = (exempt: ExemptPriorityLevelConfiguration, path: Path): FieldError[] => [
  ...validateShares(exempt.nominalConcurrencyShares, path),
  ...given(exempt.lendablePercent, (value) => percent(value, path.child('lendablePercent'))),
];

const validateLimited = (limited: LimitedPriorityLevelConfiguration, path: Path): FieldError[] => [
  ...validateShares(limited.nominalConcurrencyShares, path),
  ...validateResponse(limited.limitResponse ?? {}, path.child('limitResponse')),
  ...given(limited.lendablePercent, (value) => percent(value, path.child('lendablePercent'))),
  ...given(limited.borrowingLimitPercent, (value) =>
    when(
      value < 0,
      invalid(
        path.child('borrowingLimitPercent'),
        value,
        'if specified, must be a non-negative integer',
      ),
    ),
  ),
];

function validateEnablement(spec: Partial<PriorityLevelConfigurationSpec>): FieldError[] {
  if (spec.type === 'Exempt') {
    return [
      ...when(
        Boolean(spec.limited),
        forbidden(SPEC.child('limited'), 'must be nil if the type is not Limited'),
      ),
      ...given(spec.exempt, (exempt) => validateExempt(exempt, SPEC.child('exempt'))),
    ];
  }
  if (spec.type !== 'Limited') {
    return [notSupported(SPEC.child('type'), spec.type ?? '', ['Exempt', 'Limited'])];
  }
  return [
    ...when(
      Boolean(spec.exempt),
      forbidden(SPEC.child('exempt'), 'must be nil if the type is Limited'),
    ),
    ...(spec.limited
      ? validateLimited(spec.limited, SPEC.child('limited'))
      : [required(SPEC.child('limited'), 'must not be empty when type is Limited')]),
  ];
}

/** The two levels the server cannot do without are as they are; of `exempt` the shares may change. */
function validateMandatory({ metadata, spec }: PriorityLevelConfiguration): FieldError[] {
  const fixed = mandatoryPriorityLevels().find((each) => each.metadata.name === metadata.name);
  if (!fixed) return [];
  const shown = internalForm(spec ?? {}, 'flowcontrol/v1.PriorityLevelConfigurationSpec');
  if (metadata.name === 'exempt') {
    const { exempt: _now, ...rest } = spec ?? {};
    const { exempt: _fixed, ...want } = fixed.spec;
    const text = "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value";
    return when(!isDeepEqual(rest, want), invalid(SPEC, shown, text));
  }
  const text = `spec of '${metadata.name}' must equal the fixed value`;
  return when(!isDeepEqual(spec, fixed.spec), invalid(SPEC, shown, text));
}

/** k8s pkg/apis/flowcontrol/validation/validation.go:ValidatePriorityLevelConfiguration. */
export function validatePriorityLevel(object: PriorityLevelConfiguration): FieldError[] {
  const spec = object.spec ?? {};
  return [
    ...when(
      (object.metadata.name === 'exempt') !== (spec.type === 'Exempt'),
      invalid(
        SPEC.child('type'),
        spec.type ?? '',
        "type must be 'Exempt' if and only if name is 'exempt'",
      ),
    ),
    ...validateEnablement(spec),
    ...validateMandatory(object),
    ...validateFlowConditions(object.status?.conditions),
  ];
}
