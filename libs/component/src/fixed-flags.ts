import { registerDecorator } from 'class-validator';

/** Of a flag only these values are taken; others are refused with the reason. */
export function Only(values: readonly unknown[], why: string): PropertyDecorator {
  return (target, property) => {
    const isOne = (value: unknown): boolean => values.includes(value);
    registerDecorator({
      name: 'only',
      target: target.constructor,
      propertyName: String(property),
      validator: {
        validate: (value: unknown) => (Array.isArray(value) ? value.every(isOne) : isOne(value)),
        defaultMessage: () => {
          const taken = values.map((value) => JSON.stringify(value)).join(', ');
          return `$property: only ${taken} is taken: ${why}`;
        },
      },
    });
  };
}

/** Nothing but the default: the flag exists, what it asks for does not. */
export const Unset = (why: string): PropertyDecorator => Only(['', 0, false], why);
