import type { CelType, Environment, ObjectType, Program, Value } from '@orrery/cel';
import {
  EvaluationError,
  LIBRARY_TYPES,
  ListValue,
  MapValue,
  ObjectValue,
  celTypes,
  compile,
  formatType,
  mapOf,
  opaque,
  quantityOf,
  semverOf,
  standardFunctions,
} from '@orrery/cel';
import type { Device, DeviceAttribute } from '../../../gen/types/resource.v1.js';

const { string, bool, dyn } = celTypes;

/** Of each driver's domain a map of names. */
const byDomain = (value: CelType): CelType => mapOf(string, mapOf(string, value));

const deviceType: ObjectType = {
  kind: 'object',
  name: 'kubernetes.DRADevice',
  fields: new Map(
    Object.entries({
      driver: string,
      attributes: byDomain(dyn),
      capacity: byDomain(opaque(LIBRARY_TYPES['Quantity'] ?? '')),
      allowMultipleAllocations: bool,
    }).map(([jsonName, type]) => [jsonName, { type, jsonName, required: true }]),
  ),
};

const environment: Environment = {
  variables: new Map([['device', deviceType]]),
  functions: standardFunctions,
  bindings: true,
};

type Compiled =
  { readonly program: Program; readonly problem?: undefined } | { readonly problem: string };

function compileSelector(expression: string): Compiled {
  const { program, problem } = compile(expression, environment);
  if (!program) return { problem: `compilation failed: ${problem}` };
  const { kind } = program.type;
  return kind === 'bool' || kind === 'dyn' || kind === 'any'
    ? { program }
    : { problem: `must evaluate to bool or the unknown type, not ${formatType(program.type)}` };
}

/** Why an expression selects no devices (k8s dynamic-resource-allocation cel/compile.go:CompileCELExpression). */
export const selectorProblem = (expression: string): string | undefined =>
  compileSelector(expression).problem;

class NamedMap extends MapValue {
  constructor(
    private readonly values: ReadonlyMap<string, Value>,
    /** What a name gives that is not there; `in` does not find it. */
    private readonly fallback?: Value,
  ) {
    super();
  }

  get size(): number {
    return this.values.size;
  }

  get(key: Value): Value | undefined {
    return typeof key === 'string' ? (this.values.get(key) ?? this.fallback) : undefined;
  }

  keys(): Iterable<Value> {
    return this.values.keys();
  }

  override has(key: Value): boolean {
    return typeof key === 'string' && this.values.has(key);
  }
}

class DeviceValue extends ObjectValue {
  readonly typeName = deviceType.name;

  constructor(private readonly fields: ReadonlyMap<string, Value>) {
    super();
  }

  field(name: string): Value | undefined {
    return this.fields.get(name);
  }

  names(): Iterable<string> {
    return this.fields.keys();
  }
}

const refuse = (why: string): never => {
  throw new EvaluationError(why);
};

const versionOf = (text: string): Value =>
  semverOf(text) ?? refuse('parse semantic version: invalid version');

function attributeValue(attribute: DeviceAttribute): Value {
  const { int, bool: flag, string: text, version } = attribute;
  if (int !== undefined) return BigInt(int);
  if (flag !== undefined) return flag;
  if (text !== undefined) return text;
  if (version !== undefined) return versionOf(version);
  const { ints, bools, strings, versions } = attribute;
  const list: readonly Value[] | undefined =
    ints?.map((each) => BigInt(each)) ?? bools ?? strings ?? versions?.map(versionOf);
  return list ? new ListValue(list) : refuse('unsupported attribute value');
}

const NONE = new NamedMap(new Map());

/** Names without a domain are the driver's own. */
function grouped<T>(
  driver: string,
  named: Readonly<Record<string, T>> | undefined,
  toValue: (one: T) => Value,
): Value {
  const domains = new Map<string, Map<string, Value>>();
  for (const [name, one] of Object.entries(named ?? {})) {
    const slash = name.indexOf('/');
    const domain = slash < 0 ? driver : name.slice(0, slash);
    const ids = domains.get(domain) ?? new Map<string, Value>();
    domains.set(domain, ids.set(name.slice(slash + 1), toValue(one)));
  }
  const maps = [...domains].map(([domain, ids]) => [domain, new NamedMap(ids)] as const);
  return new NamedMap(new Map(maps), NONE);
}

function toValue(driver: string, device: Device): Value {
  return new DeviceValue(
    new Map<string, Value>([
      ['driver', driver],
      ['allowMultipleAllocations', device.allowMultipleAllocations === true],
      ['attributes', grouped(driver, device.attributes, attributeValue)],
      ['capacity', grouped(driver, device.capacity, ({ value }) => quantityOf(value) ?? null)],
    ]),
  );
}

/** A CEL selector of device classes and requests. Devices are never changed, so each is judged once. */
export class DeviceSelectorProgram {
  readonly #compiled: Compiled;
  readonly #verdicts = new WeakMap<Device, boolean>();

  constructor(expression: string) {
    this.#compiled = compileSelector(expression);
  }

  /** Why it selects nothing at all. */
  get problem(): string | undefined {
    return this.#compiled.problem;
  }

  /** Throws EvaluationError for what the expression cannot do with the device, a RangeError when it does not compile. */
  matches(driver: string, device: Device): boolean {
    const known = this.#verdicts.get(device);
    if (known !== undefined) return known;
    if (this.#compiled.problem !== undefined) throw new RangeError(this.#compiled.problem);
    const value = toValue(driver, device);
    const outcome = this.#compiled.program.evaluate({
      get: (name) => (name === 'device' ? value : undefined),
    });
    if (outcome.error !== undefined) throw new EvaluationError(outcome.error);
    if (typeof outcome.value !== 'boolean')
      throw new EvaluationError('CEL result could not be converted to bool');
    this.#verdicts.set(device, outcome.value);
    return outcome.value;
  }
}
