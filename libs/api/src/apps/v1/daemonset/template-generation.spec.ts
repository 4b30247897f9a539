import { expect, it } from '@jest/globals';
import { context, objectOf } from '../../../findings.fixture.js';
import { DaemonSetKind } from './daemonset.kind.js';

const NAME = 'deprecated.daemonset.template.generation';
const given = (value?: string, image = 'a') =>
  objectOf(DaemonSetKind, {
    ...(value === undefined ? {} : { metadata: { annotations: { [NAME]: value } } }),
    spec: { template: { spec: { containers: [{ name: 'c', image }] } } },
  });

it.each([
  { name: 'is the first', value: undefined, want: '1' },
  { name: 'is at least the first', value: '-3', want: '1' },
  { name: 'may begin with a higher one', value: '7', want: '7' },
])('the generation of a new template $name', ({ value, want }) => {
  const set = given(value);
  DaemonSetKind.strategy.prepareForCreate?.(set, context);
  expect(set.metadata.annotations).toEqual({ [NAME]: want });
});

it.each([
  { name: 'stays with the template', before: '4', now: given(), want: '4' },
  { name: 'is not what a client says', before: '4', now: given('9'), want: '4' },
  { name: 'grows with another template', before: '4', now: given('9', 'b'), want: '5' },
  { name: 'of an object of old servers is none', before: undefined, now: given(), want: '0' },
])('the generation of a template $name', ({ before, now, want }) => {
  DaemonSetKind.strategy.prepareForUpdate?.(now, given(before), context);
  expect(now.metadata.annotations).toEqual({ [NAME]: want });
});

it('is not written with a status', () => {
  const now = given('9');
  DaemonSetKind.status?.prepareForUpdate?.(now, given('4'), context);
  expect(now.metadata.annotations).toEqual({ [NAME]: '4' });
});

it.each([
  { value: 'x', problem: 'invalid syntax' },
  { value: '1.5', problem: 'invalid syntax' },
  { value: '9223372036854775808', problem: 'value out of range' },
])('the generation $value of a template is refused', ({ value, problem }) => {
  const message = `DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing "${value}": ${problem}`;
  const { strategy } = DaemonSetKind;
  expect(() => strategy.prepareForCreate?.(given(value), context)).toThrow(message);
  expect(() => strategy.prepareForUpdate?.(given(), given(value), context)).toThrow(message);
});

it('a generation that is not given is none, and its author owns it', () => {
  const set = given();
  DaemonSetKind.setDefaults?.(set);
  expect(set.metadata.annotations).toEqual({ [NAME]: '0' });
});
