import 'reflect-metadata';
import { Command, CommanderError, Option } from 'commander';
import { plainToInstance } from 'class-transformer';
import { registerDecorator, validateSync } from 'class-validator';
import type { ValidationError } from 'class-validator';
import { parseDuration } from './duration.js';

/** Bad flags or a bad configuration file: one message for the user, and nothing is started. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
  }
}

/** `--help` or `--version` was asked for; `message` is the text to print on standard output. */
export class HelpRequested extends Error {}

interface FlagInfo {
  readonly property: string;
  readonly flag: string;
  readonly description: string;
  readonly type: unknown;
  /** A list whose values may hold commas: each is a flag of its own. */
  readonly isWhole: boolean;
}

const FLAGS = Symbol('flags');

const toKebab = (name: string): string =>
  name.replace(/[A-Z]+/g, (caps) => `-${caps.toLowerCase()}`);

/**
 * Marks a property of a flags DTO: `--kebab-case` of its name unless `flag` says otherwise. String, number,
 * boolean (`--x`, `--x=false`) and string[] (comma-separated or repeated, `whole`: repeated alone) properties are supported.
 */
export function Flag(description: string, flag?: string, whole?: 'whole'): PropertyDecorator {
  return (target, property) => {
    const known = (Reflect.getMetadata(FLAGS, target) as FlagInfo[] | undefined) ?? [];
    const name = String(property);
    const info: FlagInfo = {
      property: name,
      flag: flag ?? toKebab(name),
      description,
      type: Reflect.getMetadata('design:type', target, property),
      isWhole: whole === 'whole',
    };
    Reflect.defineMetadata(FLAGS, [...known, info], target);
  };
}

const IS_DURATION = 'isDuration';

/** A Go duration such as `40s`; keep the property a string and read it with parseDuration. */
export function IsDuration(): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name: IS_DURATION,
      target: target.constructor,
      propertyName: String(property),
      validator: {
        validate: (value: unknown) =>
          typeof value === 'string' && parseDuration(value) !== undefined,
        defaultMessage: () => '$property must be a duration such as 40s or 1m30s',
      },
    });
  };
}

type Newable<T> = new () => T;

/** What Go's strconv.ParseBool takes. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false])),
};

/** What spf13/pflag says of a value that it cannot read (errors.go:InvalidValueError). */
const invalidValue = (flag: string, raw: unknown, reason: string): string =>
  `invalid argument ${JSON.stringify(raw)} for "--${flag}" flag: ${reason}`;

const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;

function toValue(info: FlagInfo, raw: unknown): unknown {
  const refuse = (parser: string): never => {
    const reason = `strconv.${parser}: parsing ${JSON.stringify(raw)}: invalid syntax`;
    throw new ConfigError(invalidValue(info.flag, raw, reason));
  };
  if (info.type === Number) return NUMBER.test(String(raw)) ? Number(raw) : refuse('ParseInt');
  if (info.type === Boolean) {
    if (raw === true) return true;
    const known = typeof raw === 'string' && Object.hasOwn(BOOLEANS, raw);
    return known ? BOOLEANS[raw] : refuse('ParseBool');
  }
  if (info.type === Array)
    return (raw as string[])
      .flatMap((part) => (info.isWhole ? [part] : part.split(',')))
      .filter((part) => part !== '');
  return raw;
}

function addOption(command: Command, info: FlagInfo): void {
  const long = `--${info.flag}`;
  if (info.type === Boolean) command.addOption(new Option(`${long} [bool]`, info.description));
  else if (info.type === Array)
    command.addOption(
      new Option(`${long} <values>`, info.description).argParser(
        (value: string, before: string[] | undefined) => [...(before ?? []), value],
      ),
    );
  else command.addOption(new Option(`${long} <value>`, info.description));
}

function collect(
  errors: readonly ValidationError[],
  prefix: string,
  name: (p: string) => string,
): string[] {
  return errors.flatMap((error) => {
    const path = prefix === '' ? name(error.property) : `${prefix}.${error.property}`;
    const own = Object.values(error.constraints ?? {}).map((text) =>
      text.includes(error.property) ? text.replace(error.property, path) : `${path}: ${text}`,
    );
    return [...own, ...collect(error.children ?? [], path, name)];
  });
}

const TYPES: Readonly<Record<string, unknown>> = {
  string: String,
  number: Number,
  boolean: Boolean,
};

/** The flags of a DTO; a property without declared type has that of its initial value. */
function flagsOf<T extends object>(Dto: Newable<T>): FlagInfo[] {
  const defaults = new Dto() as Record<string, unknown>;
  const infos = (Reflect.getMetadata(FLAGS, Dto.prototype) as FlagInfo[] | undefined) ?? [];
  return infos.map((info) => {
    if ([String, Number, Boolean, Array].includes(info.type as never)) return info;
    const initial = defaults[info.property];
    return { ...info, type: Array.isArray(initial) ? Array : TYPES[typeof initial] };
  });
}

const printFlag = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.join(',')}]`;
  return value === undefined || value === null ? '' : String(value as string | number | boolean);
};

/** Each flag of a DTO that was read, with its value as spf13/pflag prints it. */
export const flagValues = (dto: object): ReadonlyMap<string, string> =>
  new Map(
    flagsOf(dto.constructor as Newable<object>).map(({ flag, property }) => [
      flag,
      printFlag((dto as Readonly<Record<string, unknown>>)[property]),
    ]),
  );

interface Told {
  readonly argv: readonly string[];
  readonly program: string;
  readonly excess: readonly string[];
}

/** What Commander finds, in the words of spf13/pflag (errors.go) and of upstream's components. */
function flagProblem(error: unknown, { argv, program, excess }: Told): string {
  if (!(error instanceof CommanderError)) return String(error);
  const text = error.message.replace(/^error: /, '');
  const flag = /'(-[^\s='<]*)/.exec(text)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption': {
      if (flag.startsWith('--')) return `unknown flag: ${flag}`;
      const word = argv.find((one) => one.startsWith(flag)) ?? flag;
      return `unknown shorthand flag: '${flag.charAt(1)}' in ${word}`;
    }
    case 'commander.optionMissingArgument':
      return `flag needs an argument: ${flag}`;
    case 'commander.excessArguments': {
      const shown = excess.map((one) => JSON.stringify(one)).join(' ');
      return `${JSON.stringify(program)} does not take any arguments, got [${shown}]`;
    }
    default:
      return text;
  }
}

/** What was given for each of these flags. Throws what Commander throws, and HelpRequested. */
function readGiven(
  infos: readonly FlagInfo[],
  argv: readonly string[],
  program: string,
): Record<string, unknown> {
  let output = '';
  const command = new Command(program)
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => {
        output += text;
      },
      writeErr: () => undefined,
    });
  for (const info of infos) addOption(command, info);
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.code === 'commander.helpDisplayed')
      throw new HelpRequested(output);
    throw new ConfigError(flagProblem(error, { argv, program, excess: command.args }), {
      cause: error,
    });
  }
  return command.opts<Record<string, unknown>>();
}

/**
 * The same, with the flags alone that `argv` names: Commander compares each flag with all others, which a component of 160 flags
 * pays at each start. What is wrong, and help, are told with all of them.
 */
function readNamed(
  infos: readonly FlagInfo[],
  argv: readonly string[],
  program: string,
): Record<string, unknown> {
  const named = new Set(argv.map((word) => /^--([^=]+)/.exec(word)?.[1]));
  try {
    return readGiven(
      infos.filter(({ flag }) => named.has(flag)),
      argv,
      program,
    );
  } catch {
    return readGiven(infos, argv, program);
  }
}

/** Reads flags into a new `Dto`, whose initial values are the defaults. Throws ConfigError naming every bad flag. */
export function parseFlags<T extends object>(
  Dto: Newable<T>,
  argv: readonly string[],
  program = '',
): T {
  const infos = flagsOf(Dto);
  const given = readNamed(infos, argv, program);
  const dto = new Dto();
  for (const info of infos) {
    const raw = given[info.flag.replace(/-([a-z0-9])/g, (_, c: string) => c.toUpperCase())];
    if (raw !== undefined) Object.assign(dto, { [info.property]: toValue(info, raw) });
  }
  const flagOf = (property: string): string =>
    `--${infos.find((info) => info.property === property)?.flag ?? property}`;
  const errors = validateSync(dto, { forbidUnknownValues: false });
  const unread = errors.find(({ constraints }) => constraints?.[IS_DURATION] !== undefined);
  if (unread) {
    const value: unknown = unread.value;
    const reason = `time: invalid duration ${JSON.stringify(value)}`;
    throw new ConfigError(invalidValue(flagOf(unread.property).slice(2), value, reason));
  }
  const problems = collect(errors, '', flagOf);
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
  return dto;
}

/** Checks a decoded configuration file against `Dto`; unknown fields are errors. Throws ConfigError naming `source` and each field. */
export function validateConfig<T extends object>(
  Dto: Newable<T>,
  plain: unknown,
  source: string,
): T {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain))
    throw new ConfigError(`${source}: must be a mapping`);
  const dto = plainToInstance(Dto, plain, { exposeDefaultValues: true });
  const errors = validateSync(dto, { whitelist: true, forbidNonWhitelisted: true });
  const problems = collect(errors, '', (property) => property);
  if (problems.length > 0) throw new ConfigError(`${source}: ${problems.join('; ')}`);
  return dto;
}
